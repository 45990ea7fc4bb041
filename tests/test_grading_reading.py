"""What the grader reads before it compares: pieces that stand apart, labels, names in front, forms of real golds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_grading import _pairs

from ttslib.grading import canonical, equivalent, extract_answer

# Lines of "gold <> form <> form", as in test_grading.py; ⏎ is a line break.
EQUAL = {
    "pieces that stand apart are a list": r"""
x=1, y=2 <> x=1 \quad y=2 <> x=1 \\ y=2 <> x=1⏎y=2 <> $x=1$, $y=2$ <> $x=1$ and $y=2$ <> \(x=1\), \(y=2\)
x=1, y=2 <> \begin{aligned} x&=1 \\ y&=2 \end{aligned} <> \begin{gathered} x=1 \\ y=2 \end{gathered}
(1,2) <> \left\{\begin{array}{l}x=1\\y=2\end{array}\right. <> x=1 \quad y=2 <> \begin{cases} x=1 \\ y=2 \end{cases}
1, 2 <> \text{$x=1$ and $x=2$} <> x=1 \hspace{1cm} x=2
5, 7 <> x=5 \\ x=7 <> x=5 \qquad x=7 <> x=5 \quad\text{or}\quad x=7 <> x = 5,\quad x = 7 <> $5$⏎$7$
48, 384 <> $48$, $384$ <> $48, 384$ <> \(48\), \(384\) <> 48 \quad 384 <> $48$ and $384$
(1,2), (3,4) <> $(1,2)$ and $(3,4)$ <> (1,2) \quad (3,4) <> $(1,2)$, $(3,4)$
3+\sqrt2, 3-\sqrt2 <> $3+\sqrt{2}$, $3-\sqrt{2}$ <> 3+\sqrt2 \\ 3-\sqrt2
""",
    "marks that part nothing": r"""
5 <> $5$. <> \[ x = 5 \] <> x \quad = \quad 5 <> $x$ = $5$ <> 5 \quad <> 5\\ <> $5$ cm <> 5\quad\text{cm}
x^2+2x+1 <> x^2+2x⏎+1 <> x^2+2x \\ +1 <> x^2 + \quad 2x + 1
10 <> \begin{align*} x &= 5+5 \\ &= 10 \end{align*} <> \begin{aligned} 10 \end{aligned}
(1,2) <> (1,\quad 2) <> $(1, 2)$
\{1,2\} <> $\{1, 2\}$ <> \{1,\;2\}
3 <> x \equiv 3 \quad \pmod 7 <> x \equiv 3 \quad (\text{mod } 7)
12 <> \textbf{(C)} \quad 12 <> (C) \qquad 12 <> C. \quad 12
\begin{pmatrix}1\\2\end{pmatrix} <> \begin{pmatrix}⏎1 \\⏎2⏎\end{pmatrix}
x<-2 \text{ or } x>2 <> x<-2 \quad\text{or}\quad x>2
\frac{1}{2} <> \\frac{1}{2} <> \frac{1}{⏎2}
""",
    "digits are grouped inside one number": r"""
12345 <> $12,345$ <> \(12,345\) <> 12{,}345 <> 12\,345 <> 12 345 <> 12,\!345 <> x = 12,345
1234567 <> 1,234,567 <> $1{,}234{,}567$ <> 1\;234\;567
""",
    "spaces around set signs": r"""
(1,2)\cup(3,4) <> (1,2) \cup (3,4) <> (1,2)\cup (3,4) <> $(1,2)$ \cup $(3,4)$
A\cup B <> A \cup B <> A\cup  B
A\cap(B\cup C) <> A \cap (B \cup C)
\{1\}\cup[2,3] <> \{1\} \cup [2, 3]
""",
    "labels on one side": r"""
4 <> A: 4 <> (B) 4 <> B) 4 <> Answer: 4 <> the answer is 4 <> x is 4 <> The value of x is 4 <> It is 4
-1 <> the slope is -1 <> The slope is $-1$. <> slope = -1 <> \text{slope} = -1 <> \text{The slope is } -1
the slope is -1 <> -1 <> The slope is -1 <> \text{The slope is } -1
5 red, 3 blue <> 3 blue, 5 red <> 5\text{ red}, 3\text{ blue} <> 5 red and 3 blue
(1,2) <> The vertex is (1,2)
3, 5 <> The answers are 3 and 5
12 ways <> 12 <> 12 different ways
Monday <> It is Monday
""",
    "names that assign": r"""
5 <> x_1=5 <> f(3)=5 <> f'(2)=5 <> a_{10}=5 <> \angle ABC=5 <> \overline{AB}=5 <> |AB|=5 <> [ABC]=5 <> 5=x <> S_n=5
5 <> \det A=5 <> \det(A)=5 <> |A\cup B|=5 <> |A|=5 <> n(A\cap B)=5 <> \gcd(a,b)=5 <> \operatorname{rank}(A)=5
5 <> \|v\|=5 <> |\vec{v}|=5 <> \hat{p}=5 <> A^{-1}=5 <> x_{\max}=5 <> v_{\text{max}}=5 <> \hat{\beta}=5
5 <> x_1+x_2=5 <> a_1a_2=5 <> xy=5
\frac12 <> \sin A=\frac12 <> \cos\theta=\frac12 <> \tan\angle BAC=\frac12 <> P(A|B)=\frac12 <> P(A\cap B)=\frac12
\begin{pmatrix}1&0\\0&1\end{pmatrix} <> A^{-1}=\begin{pmatrix}1&0\\0&1\end{pmatrix}
\begin{pmatrix}1&0\\0&1\end{pmatrix} <> A^T=\begin{pmatrix}1&0\\0&1\end{pmatrix}
113 <> m+n=113
55 <> S = \frac{10\cdot 11}{2} = 55
(2,1) <> (y,x)=(1,2) <> (x,y)=(2,1)
(x,y)=(2,1) <> (y,x)=(1,2)
f(x)=3x <> y=3x
""",
    "families over the integers": r"""
\frac{\pi}{4}+k\pi, k\in\mathbb{Z} <> x=\frac{\pi}{4}+n\pi,\ n \in \mathbb{Z}
\frac{\pi}{4}+k\pi, k\in\mathbb{Z} <> \frac{\pi}{4}+k\pi \quad (k\in\mathbb{Z})
\frac{\pi}{4}+k\pi, k\in\mathbb{Z} <> \frac{\pi}{4}+k\pi, \text{ where } k \text{ is an integer} <> \frac{\pi}{4}+n\pi
\frac{\pi}{4}+k\pi <> x = \frac{\pi}{4}+k\pi,\ k\in\mathbb{Z} <> \frac{\pi}{4}+k\pi \text{ for any integer } k
\pm\frac{\pi}{3}+2k\pi, k\in\mathbb{Z} <> x=\pm\frac{\pi}{3}+2\pi n, n\in\mathbb{Z}
60^\circ+360^\circ k, k\in\mathbb{Z} <> 60^\circ+360^\circ n, n\in\mathbb{Z}
\{k\pi \mid k\in\mathbb{Z}\} <> k\pi, k\in\mathbb{Z}
""",
    "degrees and minutes, ordinals, several units": r"""
45.5^\circ <> 45°30' <> 45^\circ 30' <> 45^{\circ}30^{\prime} <> 45°30′
30^\circ 15' 36'' <> 30.26^\circ
12 <> 12th <> 12\text{th} <> 12^{\text{th}}
1 <> 1st
3 hours 20 minutes <> 3\text{ hours }20\text{ minutes} <> 3\text{ hours and }20\text{ minutes} <> 3 h 20 min
3 hours 20 minutes <> 3 hours, 20 minutes <> 20 minutes and 3 hours
5 ft 6 in <> 5\text{ feet }6\text{ inches}
""",
    "signs and transposes": r"""
(1,2),(-1,2) <> (\pm1,2) <> (\pm 1, 2)
(0,\pm\sqrt{5}) <> (0,\sqrt5),(0,-\sqrt5)
\begin{pmatrix}1\\2\end{pmatrix} <> (1,2)^T <> [1,2]^{T} <> (1,2)^\top <> \begin{pmatrix}1&2\end{pmatrix}^T
""",
    "amounts and units": r"""
\$5 million <> 5 million dollars <> \$5{,}000{,}000 <> 5000000 <> \$5\text{ million}
1.5\text{ billion} <> 1500000000 <> 1.5 billion
5\text{ N} <> 5\,\mathrm{N} <> 5\text{ newtons}
5 \text{ kJ} <> 5 kJ <> 5\text{ kilojoules}
50 Hz <> 50\text{ hertz}
5\text{ m/s} <> 5\text{ m s}^{-1} <> 5 m/s
9.8\text{ m/s}^2 <> 9.8 m/s^2 <> 9.8 \frac{\text{m}}{\text{s}^2}
5\ \Omega <> 5\text{ ohms}
""",
    "constants, combinations, quotes, slashes": r"""
\frac{x^2}{2}+C <> \frac{x^2}{2}+c
120 <> C(10,3) <> C(10, 7) <> {}_{10}C_3 <> ^{10}C_3 <> \binom{10}{3}
\text{yes} <> \text{``yes''} <> \text{"Yes."} <> “Yes”
\text{No} <> \text{No.} <> \text{'no'}
\frac32 <> 3⁄2
1\frac12 <> 1 1⁄2
""",
}

DIFFERENT = {
    "pieces are never joined": r"""
x=5 \quad y=2 <> x=1 \quad y=2 <> 2 <> 5
7 <> x=5 \\ x=7 <> x=5⏎x=7 <> x = 5 \qquad x = 7 <> \begin{aligned} x&=5 \\ x&=7 \end{aligned} <> x=5 \newline x=7
7 <> \begin{array}{l} x=5 \\ x=7 \end{array} <> \left\{\begin{array}{l}x=5\\x=7\end{array}\right. <> $x=5$, $x=7$
7 <> x=5 and x=7
7 <> x=5 \hspace{1cm} x=7 <> x=5 \par x=7 <> x=5 \linebreak x=7 <> x=5 \cr x=7 <> \substack{x=5 \\ x=7}
2 <> x=1 & y=2 <> x=1; y=2 <> x=1 \mid y=2 <> \text{$x=1$ and $y=2$}
2 <> x=1 \quad y=2 <> x=1 \; y=2 <> x=1⏎y=2 <> x=1 y=2
48384 <> $48$, $384$ <> \(48\),\(384\) <> $48$,$384$ <> 48 \quad 384 <> 48 \\ 384 <> $48$ $384$
12 <> 1 \quad 2 <> 1 \\ 2 <> $1$ $2$ <> \(1\)\(2\) <> $1$$2$ <> 1⏎2 <> \begin{array}{c}1\\2\end{array}
6 <> 2 \quad 3 <> $2$ $3$ <> 2\\3
1.5 <> 1 \quad \frac{1}{2} <> $1$ $\frac{1}{2}$ <> 1\\ \frac12
2x <> 2 \quad x <> $2$ $x$
2 <> 5 \quad -3 <> 5⏎-3
245 <> 0,245 <> 0{,}245
1005 <> 01,005
(1,2)\cup(3,4) <> (1,2) \quad (3,4)
5 <> 5 \quad 5
""",
    "labels and words carry the answer": r"""
A: 4 <> A: 7 <> B: 4
(A) 12 <> (A) 15 <> (B) 12
\textbf{(A)}\ 12 <> \textbf{(A)}\ 15
A: 4, B: 5 <> A: 5, B: 4
(a) 4 (b) 5 <> (a) 5 (b) 4
Option A: 4 <> Option A: 7
5 red, 3 blue <> 3 red, 5 blue
5 red 3 blue <> 3 red 5 blue
5\text{ boys}, 3\text{ girls} <> 3\text{ boys}, 5\text{ girls}
red: 5, blue: 3 <> red: 3, blue: 5
\text{length}=5, \text{width}=3 <> \text{length}=3, \text{width}=5
5 apples <> 5 oranges
the slope is 1 <> the slope is -1 <> the slope is 11
the value is 1.5 <> the value is 15
minimum 3 <> maximum 3
increasing on (0,1) <> increasing on (0,2)
March 5 <> March 6
5 out of 6 <> 6 out of 5
the slope is 2 and the intercept is -1 <> the slope is -1 and the intercept is 2
profit of 5 <> loss of 5
5 km east <> 5 km west
5 (max) <> 5 (min)
5 at x=2 <> 5 at x=3
""",
    "an equation for an unknown gives no value": r"""
5 <> -x=5 <> \sqrt{x}=5 <> x^3=5 <> 2x=5 <> x/2=5 <> |x|=5 <> e^x=5 <> \ln x=5 <> x^{-1}=5 <> \frac{1}{x}=5 <> \sin x=5
5 <> -\theta=5 <> \sigma^2=5 <> f(x)^2=5 <> 5=x^2 <> \log_2 x=5 <> \lfloor x\rfloor=5
25 <> x^2=25
\sigma=800 <> \sigma^2=800
\sigma^2=800 <> \sigma=800
(x,y)=(1,0) <> (y,x)=(1,0)
(a,b,c)=(1,2,3) <> (c,b,a)=(1,2,3)
(1,2) <> (y,x)=(1,2)
y=2x <> x=2y
""",
    "near misses of the forms": r"""
45.3^\circ <> 45^\circ 30'
45^\circ 30' <> 45^\circ 20'
(1,2) <> (\pm1,2)
(2,1)^T <> (1,2)^T
\begin{pmatrix}1&2\end{pmatrix} <> (1,2)^T
12th <> 13th
3 hours 20 minutes <> 20 hours 3 minutes <> 3 hours 30 minutes <> 320 <> 23 <> 3.2 hours
5 <> \$5 million
\$5 million <> \$5 billion
a+b+C <> a+b+c
x^2+C <> x^2-c
5\text{ N} <> 5\text{ J}
5\text{ MW} <> 5\text{ mW} <> 5\text{ kW}
120 <> C(10,4) <> C(10,2)
\frac32 <> 2⁄3
\frac{\pi}{4}+k\pi, k\in\mathbb{Z} <> \frac{\pi}{4}+2k\pi, k\in\mathbb{Z} <> \frac{\pi}{4}
\frac{\pi}{4}+k\pi, k\in\mathbb{Z} <> \frac{\pi}{3}+n\pi, n\in\mathbb{Z}
k\pi, k\in\mathbb{Z} <> \mathbb{Z}
""",
}


def _cases(lines):
    return [(gold.replace("⏎", "\n"), form.replace("⏎", "\n")) for gold, form in _pairs(lines)]


@pytest.mark.parametrize("family", EQUAL)
def test_equal_forms(family):
    assert [pair for pair in _cases(EQUAL[family]) if not equivalent(*pair)] == []


@pytest.mark.parametrize("family", DIFFERENT)
def test_near_misses(family):
    pairs = _cases(DIFFERENT[family])
    assert [pair for pair in pairs if equivalent(*pair) or equivalent(*reversed(pair))] == []
    assert [(gold, form) for gold, form in pairs if canonical(gold) == canonical(form)] == []


def test_two_names_are_two_answers():
    """A name in front does not part votes, for the other samples may leave it out."""
    for gold, answer, value in (
        ("x=5", "y=5", "5"), ("f(2)=5", "f(3)=5", "5"), ("AB=5", "AC=5", "5"),
        ("the slope is 1", "the intercept is 1", "1"), ("(m,b)=(2,3)", "(b,m)=(2,3)", "(2,3)"),
        (r"\text{min}=3", r"\text{max}=3", "3"),
    ):  # fmt: skip
        assert not equivalent(gold, answer) and equivalent(value, answer) and canonical(answer) == canonical(value)


VALUES = st.sampled_from(["5", "12", "-3", "345", r"\frac{1}{2}", r"\sqrt{2}", "x=4", "y=7", "(1,2)", r"\pi", "2x+1"])
LABELS = [
    "x = {}", r"\text{{Area}} = {}", "the slope is {}", "A: {}", "(B) {}", "Answer: {}", r"\theta={}", "f(2)={}",
    r"\det A = {}",
]  # fmt: skip
LISTS = st.lists(VALUES, min_size=2, max_size=3, unique=True)


@settings(max_examples=60, deadline=None)
@given(LISTS, LISTS)
def test_joining_or_splitting_spans_changes_no_verdict(one, other):
    joined = [f"${', '.join(values)}$" for values in (one, other)]
    apart = [", ".join(f"${value}$" for value in values) for values in (one, other)]
    verdict = equivalent(*joined)
    assert equivalent(*apart) == equivalent(joined[0], apart[1]) == equivalent(apart[0], joined[1]) == verdict
    assert verdict == (sorted(one) == sorted(other))


@settings(max_examples=60, deadline=None)
@given(LISTS, st.sampled_from([r" \quad ", r" \\ ", "\n", r"\qquad "]))
def test_what_stands_apart_is_a_list_and_nothing_else(values, gap):
    apart = gap.join(values)
    assert equivalent(", ".join(values), apart)
    assert not equivalent("".join(values), apart) and not equivalent(" ".join(values), apart)
    assert not any(equivalent(value, apart) for value in values)


@settings(max_examples=60, deadline=None)
@given(st.integers(-99, 99), st.integers(-99, 99), st.sampled_from(LABELS))
def test_a_label_on_one_side_changes_no_verdict(gold, answer, label):
    verdict = equivalent(str(gold), str(answer))
    assert equivalent(str(gold), label.format(answer)) == equivalent(label.format(gold), str(answer)) == verdict
    assert equivalent(label.format(gold), label.format(answer)) == verdict


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{\frac{1}{3}} \approx \boxed{0.333}", r"\frac{1}{3}"),
        (r"$\boxed{\sqrt{2}}$, which is approximately $\boxed{1.414}$.", r"\sqrt{2}"),
        (r"\boxed{\pi}, or about \boxed{3.14}", r"\pi"),
        (r"\boxed{5}, not \boxed{7}", "7"),
        (r"\boxed{5}, as \boxed{answer} asks", "5"),
        ("The answers are 3 and 5.", "3 and 5"),
        ("The solutions are $x=3$ and $x=5$.", "$x=3$ and $x=5$"),
        ("<answer>42</answer>", "42"),
        ("<answer> $x=4$ </answer> Done.", "$x=4$"),
        (r"<answer>so \boxed{4}</answer>", "4"),
        ("The answer is 5. <answer>6</answer>", "6"),
        ("Final answer:\n- 42", "42"),
        ("**Final answer:**\n\n* $42$", "$42$"),
        ("Final Answer:\n• -42", "-42"),
        ("#### 72", "72"),
        ("so 70 + 2 = 72\n#### $1,072", "$1,072"),
    ],
)
def test_answers_that_are_announced(text, answer):
    assert equivalent(answer, extract_answer(text))


@pytest.mark.parametrize(
    "text",
    [
        "#### 2. Solve for x\nWe see", "#### Step 2: Solve\nWe see", "#### 3 Cases\nFirst", "#### 1) Set up",
        "maybe the answer is 3?", "Suppose the answer is 5. Then", "I don't think the answer is 7.",
        "I do not believe that the answer is 7.", "The answer is not 7.", "The answer isn't 7.", "So the answer is 7?",
        "Perhaps the final answer is 7", "If the answer is 7, then x = 2.", "We check whether the answer is 7.",
        "Is it possible that the answer is 7?", "Let's say the answer is 7.", "I guess the answer is 7",
        r"Put it in \boxed{}. So x = 5", r"Therefore, the final answer is: $\boxed{answer}$. I hope it is correct.",
        "Let me compute 3 * 4 = 12 and then 12 +", "x = 5, y = 7, so z = 12", "The answer is ...",
    ],
)  # fmt: skip
def test_what_is_no_answer(text):
    assert extract_answer(text) is None


def test_a_guess_does_not_hide_the_answer():
    assert extract_answer("Maybe the answer is 3? No: the answer is 4.") == "4"
    assert extract_answer("The answer is 8. Suppose the answer is 9.") == "8"
    assert extract_answer("It is not hard to see that the answer is 5.") == "5"
