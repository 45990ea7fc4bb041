r"""Which boxes hold an answer: where search ends a path, and what grading reads.

Run: python -m pytest tests/test_boxes.py
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib.boxes import answered_boxes, answers_in

BLANKS = [
    "", " ", "\n\t", r"\,", r"\quad", r"\ ", "$$", "{}", r"\text{}", r"\hspace{1cm}", r"\underline{\hspace{2cm}}",
    "...", "…", r"\ldots", r"\dots", r"\cdots", "?", "??", "？", r"\text{?}", "_", "___", r"\_\_\_", r"\underline{ }",
    r"\square", r"\Box", "□", "( )", "(?, ?)", "[...]", "-", "--", "x=", "x = ?", r"x = \square", r"2 + 2 = \ldots",
]  # fmt: skip
PLACEHOLDERS = [
    "answer", "Answer", "ANSWER", "[answer]", "<answer>", "{answer}", "(answer)", "'answer'", "answer.", "$answer$",
    r"\langle answer \rangle", "`answer`", "**answer**", r"\big[ answer \big]",
    r"\{answer\}", r"\text{answer}", r"\textbf{Answer}", r"\mathrm{ans}", r"\text{Answer: }", "your answer",
    "your_answer", "final answer", "final_answer", "the final answer", r"\text{answer here}",
    r"\text{your answer here}", "insert your answer here", "put the answer here", r"\color{red}{answer}",
    "result", "solution", "number", "value", "your numerical answer", r"x = \text{value}", "answer~here",
    r"\text{[Your Final Answer Here]}",
]  # fmt: skip
ANSWERS = [
    "4", "0", "-1", "x", "a", "A", "(A)", r"\text{(A)}", "x=4", "?5", "5?", "no solution", r"\text{No solution}",
    r"\text{no solutions}", "infinitely many solutions", r"\emptyset", "∅", r"\{\}", r"\left\{ \right\}", r"\{1, 2\}",
    r"\infty", r"\frac{1}{2}", r"1, 2, \ldots", r"\text{answer: } 5", r"\text{correct}", "the answer is 5", "None",
    r"\text{even}", "<", ">", "+", "12%", r"\$5", r"\pi", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "one solution",
    "undefined", r"\text{in}", "é", "3 = 3", r"\sqrt{}", r"\overline{AB}", "answer 5", r"\text{Box B}", "½",
]  # fmt: skip


@pytest.mark.parametrize("name", ["\\boxed", "\\fbox", "\\framebox", "\\boxed ", "\\\\boxed", "boxed"])
@pytest.mark.parametrize("content", [*BLANKS, *PLACEHOLDERS])
def test_blanks_and_placeholders_are_no_answers(name, content):
    assert answers_in(f"So put it in {name}{{{content}}}.") == []


@pytest.mark.parametrize("name", ["\\boxed", "\\fbox", "\\framebox", "\\boxed ", "\\\\boxed", "boxed"])
@pytest.mark.parametrize("content", ANSWERS)
def test_what_says_something_is_an_answer(name, content):
    text = f"So $x = {name}{{ {content} }}$."
    (box,) = answered_boxes(text)
    assert box.content == content and text[box.start : box.end] == f"{name}{{ {content} }}"


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (r"\boxed{1} \fbox{2} \boxed{} \boxed{answer}", ["1", "2"]),
        (r"\boxed{\boxed{4}}", ["4"]),
        (r"\boxed{x = \fbox{\frac{1}{2}}}", [r"\frac{1}{2}"]),
        (r"\boxed{{\boxed{3}}, {\boxed{4}}}", ["3", "4"]),
        (r"\boxed{\boxed{}}", []),
        (r"\boxed{\text{answer} \boxed{\ldots}}", []),
        (r"\boxed{4", []),
        (r"\boxed{\boxed{4}", ["4"]),
        (r"\boxed{4\}", []),
        (r"\boxed{a\}b}", [r"a\}b"]),
        (r"a\\\boxed{7}", ["7"]),
        (r"} } \boxed{7}", ["7"]),
        ("\\boxed\n{7}", ["7"]),
        (r"\boxed 7 \boxedx{7} unboxed{7} \fboxrule{7} box{7}", []),
        ("", []),
    ],
)
def test_nested_open_and_escaped_boxes(text, answers):
    assert answers_in(text) == answers


@pytest.mark.parametrize(
    "piece",
    ["\\boxed{", "\\boxed{ ", "{", "}", "\\", "\\boxed", "\\boxed{}", "boxed{a", "<", "\\boxed{<", "\\color{",
     "\\hspace{}{}", "=", "\\boxed{=", "\\\\boxed", " "],
)  # fmt: skip
def test_hostile_texts_take_linear_time(piece):
    """Well below a second for 200,000 characters, where a quadratic scan takes minutes."""
    text = piece * (200_000 // len(piece))
    answers_in(text)
    answers_in(text + "}" * 100_000)
    answers_in(f"\\boxed{{{text}}}")


@given(st.text(alphabet="\\{}boxedf _?.=<4answer$", max_size=60))
def test_any_text_is_read_and_what_follows_does_not_unmake_an_answer(text):
    found = answers_in(text)
    assert answers_in(text + r" \boxed{9}")[: len(found)] == found
    assert all(answer and answer == answer.strip() for answer in found)
