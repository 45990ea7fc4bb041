"""The grader, family by family: equal forms, near misses, extraction, hostile input, threads and processes."""

import asyncio
import json
import os
import signal
import string
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.grading import canonical, equivalent, extract_answer, pool, verdict, verdicts

SHARED = Path(os.environ.get("TTSLIB_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
PACKAGE = str(Path(__file__).resolve().parents[1] / "ttslib")
PATIENCE = 2.0 if not os.environ.get("CI") else 4.0  # seconds a pair; a shared runner may stall

# Family -> lines of "gold <> form <> form": each form against the gold answer.
EQUAL = {
    "choices": r"""
\text{(A)} <> A
\text{C} <> (C) <> C) \frac{1}{2} <> \textbf{(C)}~\frac{1}{2}
A <> \text{A} <> \textbf{A} <> (A) <> \text{(A)} <> \textbf{(A)} <> \mathrm{A} <> A. <> (A). <> Option A
A <> \text{Option A} <> \text{Choice A}
\text{(C)} <> C <> \textbf{(C)}\ 12
\textbf{(C)} <> \text{(C)}
C <> \textbf{(C) } 12
A,C <> C,A <> A \text{ and } C
A, C <> \text{A and C}
A, B, D <> \text{A, B, D}
\text{A,B} <> A, B
\boxed{\textbf{(B)}\ 5} <> B <> 5
5 <> \textbf{(B) }5
B <> \text{(B) } 5 <> B) 5 <> B. 5 <> (B) 5 <> \text{B} <> \mathrm{(B)} <> \textbf{B}.
\text{(B) } 5 <> B
\textbf{(A)}\ \frac{1}{2} <> \frac12
(A) -5 <> -5
(A)(B) <> AB
12 <> \textbf{(C)}\ 12
\text{(A) and (C)} <> A, C
""",
    "complex numbers": r"""
3+4i <> 4i+3 <> 3 + 4 i <> 3+i4 <> 3+4\mathrm{i} <> 3+4\cdot i <> 3+4\sqrt{-1} <> (2+i)^2
5 - 2i <> -2i+5
i <> \sqrt{-1}
-i <> \frac{1}{i}
\frac{1}{2}+\frac{\sqrt{3}}{2}i <> \frac{1+i\sqrt{3}}{2} <> e^{i\pi/3}
i^2 <> -1
e^{i\pi} <> -1
|3+4i| <> 5
\cos\theta+i\sin\theta <> e^{i\theta}
\frac{1}{1+i} <> \frac{1-i}{2}
2e^{i\pi/3} <> 1+i\sqrt{3}
(1+i)^2 <> 2i
3i <> 3 i <> i\cdot 3
\frac{3}{2}i <> \frac{3i}{2}
-\frac{i}{2} <> -0.5i
3\mathbf{i}+4\mathbf{j} <> 3\mathbf{i} + 4\mathbf{j}
2i <> 2 i
-4-3i <> -(4+3i)
\frac{-1+i\sqrt{3}}{2} <> -\frac12+\frac{\sqrt3}{2}i
5+12i <> 12i + 5
""",
    "congruences": r"""
25 <> x \equiv 25
3 <> x \equiv 3 \pmod{7} <> 3 \pmod 7 <> 3 \ (\text{mod } 7)
3 \pmod{7} <> 3
x \equiv 3 \pmod{7} <> x\equiv 3\pmod 7
""",
    "decimals and fractions": r"""
\ldots <> \ldots
-\frac{3}{4} <> \frac{-3}{4} <> -0.75 <> \frac{3}{-4} <> -3/4 <> (-3)/4 <> - \dfrac{3}{4}
\frac{3}{4} <> .75 <> \frac{0.75}{1} <> \frac{-3}{-4} <> \frac{6}{8} <> \tfrac34 <> \cfrac{3}{4} <> \frac 34
\frac{3}{4} <> \frac 3 4 <> {3 \over 4} <> \frac{3}{4}.
\frac{6}{8} <> \frac{3}{4}
1.2\overline{3} <> \frac{37}{30}
\frac{1}{3} <> 1/3 <> 0.\overline{3} <> 0.\bar{3} <> 0.\bar 3 <> 0.3\overline{3} <> .\overline{3} <> 0.(3)
42 <> 42.
1 + \frac{1}{2} <> \frac32
\lfloor 3.7 \rfloor <> 3
23 <> 023.
12345 <> 12,345.0
1 <> 0.\overline{9}
\frac{1}{2} <> 0.50
\frac{1}{7} <> 0.\overline{142857}
\frac{1}{6} <> 0.1\overline{6} <> 0.1(6)
-\frac{1}{3} <> -0.\overline{3}
0.\overline{12} <> \frac{4}{33} <> 0.\overline{1212}
0.1 <> .1 <> .10 <> 0.100
\frac{\frac{1}{2}}{3} <> \frac{1}{6}
\frac{1}{\frac{2}{3}} <> \frac{3}{2}
\frac{1/2}{3/4} <> 2/3
\\frac{1}{2} <> \frac{1}{2}
\text{$\frac12$} <> \frac12
\text{1/2} <> \frac12
0.\overline{142857} <> \frac17
0.1\overline{6} <> \frac16 <> 0.1666\ldots
0.333\ldots <> \frac13
0.333... <> \frac13
3.\overline{3} <> \frac{10}{3}
-(\frac{5}{7}) <> -5/7
(\frac{5}{7}) <> 5/7
{5}/{7} <> \frac57
\frac{{5}}{{7}} <> \frac57
\frac{3}{8} <> 0.375
\frac{1}{1000} <> 0.001
7.50 <> 7.5
1+\frac{1}{2}+\frac{1}{4} <> \frac{7}{4}
""",
    "degrees": r"""
100 \text{ degrees} <> 100^\circ
\theta = 30^\circ <> 30
60^\circ <> 60^{\circ} <> 60 degrees <> 60\text{ degrees}
120^{\circ} <> 120
\angle A = 40^\circ <> 40^\circ
\frac{\sqrt{6}-\sqrt{2}}{4} <> \sin 15^\circ
30^\circ <> 30 <> 30^{\circ} <> 30° <> 30 degrees <> 30\text{ degrees} <> 30\degree <> \angle ABC = 30^\circ
30^\circ <> m\angle A = 30 <> \theta = 30^\circ <> x = 30^{\circ} <> 30.0^\circ
22.5^\circ <> \frac{45}{2}^\circ <> 22\frac{1}{2}^\circ
\sin 30^\circ <> \frac{1}{2} <> 0.5
\cos 36^\circ <> \frac{1+\sqrt5}{4}
\tan 45^\circ <> 1
37^\circ\text{C} <> 37^\circ C
72^\circ\text{F} <> 72^{\circ}\mathrm{F}
\frac{\sqrt{6}+\sqrt{2}}{4} <> \cos 15^\circ
\frac{1}{2}+\frac{\sqrt{3}}{2}i <> \cos 60^\circ + i \sin 60^\circ
25 <> \angle A = 25^\circ
\sin 75^\circ <> \frac{\sqrt{6}+\sqrt{2}}{4}
\cos 75^\circ <> \frac{\sqrt{6}-\sqrt{2}}{4}
\tan 15^\circ <> 2-\sqrt3
45^\circ <> 45\text{°} <> \frac{\pi}{4}
180^\circ <> \pi
\cos 120^{\circ} <> -\frac{1}{2}
""",
    "equations and names in front": r"""
x=5 <> 5 <> 5=x
f(x)=x^2 <> x^2
n = 12 <> 12
2x+3y-6=0 <> 3y=6-2x
k=\frac{5}{3} <> \frac{5}{3}
f^{-1}(x) = 2x <> 2x
r=2\cos\theta <> 2\cos\theta
5 <> x = 5 <> a_5 = 5 <> f(2)=5 <> AB = 5 <> x_1=5 <> m+n=5 <> p + q + r = 5 <> S = 5
x^2 <> f(x)=x^2
2x=10 <> x=5
3 <> \log_2 8 = 3
12 <> 3\cdot 4=12
\frac{1}{2} <> \frac{1}{2} = 0.5
3+4i <> z = 3+4i
x^2+2x+1 <> y=(x+1)^2
x+y=1 <> y=1-x <> 2x+2y=2 <> -x-y=-1
y=2x+3 <> y=3+2x <> 2x+3
x^2+y^2=25 <> y^2+x^2=25
(x-1)^2+(y+2)^2=9 <> (y+2)^2+(x-1)^2=9 <> (x-1)^2+(y+2)^2=3^2
y=-2 <> y+2=0
a_n = 3 \cdot 2^{n-1} <> 3\cdot2^{n-1}
f(x)=3x <> y=3x
f(x)=\sin x <> \sin x
-1 <> x = -1
\frac{AB}{BC} = \frac{2}{3} <> \frac{2}{3}
113 <> m+n = 113 <> m + n + p = 113
25 <> x^2+y^2 = 25 <> [ABC]=25 <> f(5)=25 <> S_{10} = 25 <> N=25
y=x^2-4x+3 <> y=(x-1)(x-3) <> f(x)=x^2-4x+3
y=\frac{1}{x} <> xy=1
x^2-y^2=1 <> y^2=x^2-1
2x-3y+6=0 <> y=\frac{2}{3}x+2 <> -2x+3y-6=0
\frac{x}{2}+\frac{y}{3}=1 <> 3x+2y=6
\sum_{k=1}^{10}k <> 55
y-2=3(x-1) <> y=3x-1
y=3x-1 <> 3x-y-1=0
x+2y=7 <> 2y+x=7 <> 2x+4y=14
\frac{x^2}{9}-\frac{y^2}{16}=1 <> 16x^2-9y^2=144
a_{n}=2^{n}-1 <> 2^n-1
V=\frac{4}{3}\pi r^3 <> \frac{4\pi r^3}{3}
f(x)=2x+1 <> 2x+1
S_n=n^2 <> n^2
(x-2)^2+(y+1)^2=4 <> (x - 2)^{2} + (y + 1)^{2} = 4
""",
    "formulas": r"""
x^2-1 <> (x-1)(x+1)
a^2+b^2 <> b^2+a^2
e^{x+1} <> e\cdot e^x
\sqrt{x+1} <> (x+1)^{1/2}
x^3 + 3x - 6 <> x^3+3\cdot x-6
3^{2x} <> 9^x
\frac{1}{3} <> \frac{1}{3} \approx 0.333
x^2+2x+1 <> (x+1)^2 <> x^2+2\cdot x+1
(x-1)(x+2) <> (x+2)(x-1) <> (x-1)\cdot(x+2)
\frac{x+1}{2} <> \frac{x}{2}+\frac12 <> 0.5x+0.5
\frac{1}{x}-\frac{1}{x+1} <> \frac{1}{x(x+1)}
2^{n+1} <> 2^{1+n}
\sqrt{x^2+1} <> (x^2+1)^{1/2}
n(n-1) <> n^2-n
\sin x <> \sin(x)
\cos^2 x <> (\cos x)^2
|x| <> \lvert x \rvert
abc <> cba
x <> 1x
2x <> x\cdot2
\frac{x^3}{x} <> x^2
6x^2y <> 2x\cdot 3xy
\frac{\theta}{2} <> \theta/2
2A_{16} <> 2a_{16}
\frac{x^3}{3}+C <> \frac13x^3+C
2^{n-1}(2^n-1) <> (2^n-1)2^{n-1}
\frac{n^3-n}{6} <> \binom{n+1}{3}
\frac{(2n)!}{n!n!} <> \binom{2n}{n}
(-1)^n <> (-1)^{n+2}
\frac{1}{2^n} <> (1/2)^n
x^{3/2} <> x\sqrt{x}
\frac{x^2}{2}+C <> \frac12 x^2+C
\sec^2 x <> 1+\tan^2 x
\sin(a+b) <> \sin a\cos b+\cos a\sin b
\lg 100 <> 2
e^(2x) <> e^{2x}
frac{1}{2} <> \frac{1}{2}
\textbf{\frac12} <> \frac12
25 <> \Rightarrow 25
1A_{16} <> 1A_{16}
x^3+2x^2-x-2 <> (x+2)(x^2-1)
\frac{x+1}{x-1} <> 1+\frac{2}{x-1}
-\frac{x-1}{2} <> \frac{1-x}{2}
|a-b| <> |b-a|
\lim_{x\to 0}\frac{\sin x}{x} <> 1
Mm <> mM
\frac{1}{3}\pi r^2h <> \frac{\pi r^2 h}{3}
\Delta <> Δ
(x^2+2x+2)(x^2-2x+2) <> (x^2-2x+2)(x^2+2x+2)
\frac{x-1}{x+1} <> -\frac{1-x}{x+1}
\frac{a^2b}{c} <> a^2bc^{-1}
\frac{1}{x^2} <> x^{-2}
\frac{1}{4}\pi r^2 <> \frac{\pi r^2}{4}
e <> 2.71828182846
-\frac{b}{2a} <> \frac{-b}{2a}
n^2+n <> n(n+1)
12 <> \mathrm{(C)}\ 12
(x+1)(x^2-x+1) <> x^3+1
\frac{1}{2}(a+b)h <> \frac{(a+b)h}{2}
""",
    "inequalities": r"""
(0, 5] <> \left(0,5\right]
0 \le x \le 1 <> [0,1]
\left\{-1,0,1\right\} <> \{0, 1, -1\}
x>3 <> 3<x
\{x \mid x > 2\} <> \{x \mid x > 2\}
(-2,5) <> -2<x<5
(1,-2) <> \left( 1, -2 \right)
22.5^\circ <> \left(\frac{45}{2}\right)^\circ
[0,1] <> 0 \le x \le 1 <> 0\leq x\leq1 <> \{x : 0 \le x \le 1\} <> \{x \mid 0 \leq x \leq 1\}
(0,1) <> 1 > x > 0
[0,1) <> 0\le x<1
(0,1] <> 0<x\le 1
[-1,1] <> |x|\le 1 <> -1 \le y \le 1 <> \{y \mid -1\le y\le 1\}
(1,3) <> |x-2|<1
\left[\frac{1}{2},\frac{3}{2}\right] <> [0.5,1.5]
[-\sqrt{2},\sqrt{2}] <> \left[-\sqrt2, \sqrt2\right]
x>2 <> 2<x <> x > 2
x\ge 2 <> x\geq 2
x\ge2 <> x≥2 <> x >= 2
x<2y <> 2y>x
1<x<2 <> 2>x>1
a<b<c <> c>b>a
f(1)<f(2)<f(3) <> f(3)>f(2)>f(1)
(1,2) <> \left(1,2\right)
\sin x <> \cos\left(\frac{\pi}{2}-x\right)
|x| <> \left|x\right|
\lfloor x\rfloor <> \left\lfloor x \right\rfloor
[2,5] <> x \ge 2, x \le 5
(2,5) <> 2 < x \text{ and } x < 5
-4<k<4 <> |k|<4
k^2 < 16 <> -4<k<4
x>1 <> 2x>2 <> -x<-1
x \ne 0 <> x \neq 0
a+b>c <> c<a+b <> a+b-c>0
x^2+y^2\le 4 <> x^2+y^2-4\le 0
x>0, y>0 <> y>0, x>0
\frac{1}{2^n} <> \left(\frac12\right)^n
\left(2,-3\right) <> \big(2,-3\big)
\lfloor n/2\rfloor <> \left\lfloor \frac{n}{2}\right\rfloor
\left(\frac{2}{3}\right)^{-1} <> 1.5
[0,\frac{\pi}{2}] <> \left[0, \frac{\pi}{2}\right]
2<x\le 5 <> (2,5]
x\leq -2 \text{ or } x \geq 2 <> |x|\ge 2
x \leq -2 \text{ or } x \geq 2 <> x\ge 2 or x\le -2
a>0 <> 0<a
a\neq b <> b \neq a
\arctan\frac{3}{4} <> \tan^{-1}\left(\frac34\right)
1<2<3 <> 3>2>1
\lceil\log_2 n\rceil <> \left\lceil \log_2 n \right\rceil
0\leq m<4 <> [0,4)
\{x|-1<x<3\} <> (-1,3) <> \{x\mid -1 < x < 3\}
\left|\frac{-3}{4}\right| <> \frac34
""",
    "integers": r"""
025 <> 25
007 <> 7
0 <> 000 <> -0
7 <> 007
000 <> 0
42 <> +42
-7 <> -007 <> − 7
1000 <> 1{,}000
1000000 <> 1,000,000 <> 1\,000\,000 <> 1\;000\;000 <> 1 000 000 <> 1~000~000
49 <> 7\cdot 7 <> 50 - 1
5 <> \,5\, <> 5, <> 5;
1234 <> 1 234
\text{\(5\)} <> 5
5'8'' <> 5'8''
5\cdot4\cdot3 <> 60
1+2+3 <> 6
5-(-3) <> 8
--5 <> 5
3 000 000 <> 3000000
|{-5}| <> 5
|-5| <> 5
042 <> 42
999 <> 0999
""",
    "intervals and sets of solutions": r"""
[1,\infty) <> [1, +\infty) <> x\ge 1
(-\infty,3) <> x<3
(1,2)\cup(3,4) <> (3,4)\cup(1,2) <> (1,2) \bigcup (3,4) <> x\in(1,2)\text{ or }x\in(3,4) <> (1,2) union (3,4)
(-\infty,1)\cup(1,\infty) <> (1,\infty)\cup(-\infty,1) <> x \neq 1 <> x<1 \text{ or } x>1
\emptyset <> \varnothing <> \{\} <> \text{empty set}
\infty <> \infty <> \text{infinity}
(2,\infty) <> x > 2
(4,5] <> x\in(4,5]
x \in \{1,2\} <> 1,2
[0,1] <> [0, 1] <> \lbrack 0,1\rbrack <> [0,1.0]
(0,1) <> x\in(0,1)
(0,1] <> x \in (0, 1]
[3,\infty) <> [3, +\infty) <> 3 \le x <> 3 \leq x < \infty
(-\infty,3] <> x \le 3 <> (-\infty , 3]
(-\infty,\infty) <> \text{all real numbers}
\mathbb{R} <> x \in \mathbb{R} <> (-\infty, +\infty)
[1,2]\cup[3,4] <> [3,4] \cup [1,2]
[-2,-1]\cup[1,2] <> 1 \le |x| \le 2
\left(\frac{1}{2},\infty\right) <> x>0.5 <> 2x>1
(-\infty,-2)\cup(2,\infty) <> |x|>2 <> x < -2 or x > 2
k<-4 <> k\in(-\infty,-4)
0<a\le 1 <> a\in(0,1]
\{1,2\}\cup\{3\} <> \{1,2,3\}
\{2\} <> \{1,2\}\cap\{2,3\}
\{1,2\}\setminus\{1\} <> \{2\}
(-\infty,-1]\cup[1,\infty) <> x \leq -1, x \geq 1
(2,5) <> \{x \in \mathbb{R} \mid 2 < x < 5\}
(0,\infty) <> x > 0
\mathbb{R} \setminus \{2\} <> x \neq 2 <> x \in \mathbb{R}, x \neq 2
\mathbb{R} \setminus \{1,2\} <> x \neq 1, x \neq 2
a \le 3 <> a \in (-\infty, 3]
k \in (-4, 4) <> -4 < k < 4
[-1,1] <> [-1.0, 1.0]
[0,\frac{\pi}{2}] <> [0,\pi/2]
(-\infty, -3) \cup (-3, 3) \cup (3, \infty) <> (3,\infty)\cup(-3,3)\cup(-\infty,-3) <> \mathbb{R} \backslash \{\pm 3\}
[2,\infty) <> [2,\infty[
\left(-\infty,-\frac{5}{3}\right) <> x<-\frac53
2<x\le 5 <> x\in(2,5]
x\leq -2 \text{ or } x \geq 2 <> (-\infty,-2]\cup[2,\infty)
x\in\left(-\infty,2\right]\cup[3,\infty) <> (-\infty,2]\cup[3,\infty)
a\geq 1 <> [1,+\infty)
a\ge1 <> a \in [1, +\infty)
[1,2)\cup(2,3] <> x\in[1,2)\cup(2,3]
""",
    "lists and sets": r"""
\{1,2,3\} <> 3,2,1 <> \{3,2,1\} <> 1,2,3
1,000,000 <> 10^6
1\,000 <> 1000
12,345.67 <> 12345.67
x=\pm 3 <> -3, 3
2\pm\sqrt{3} <> 2+\sqrt3, 2-\sqrt3
5,7 <> 5 and 7
1,000, 2,000 <> 1000, 2000
-1,5 <> 5,-1
1{,}000 <> 1000
1,2,3 <> \{1,2,3\} <> 3,1,2 <> 1, 2, 3 <> 1, 2 and 3 <> 1; 2; 3 <> x=1,2,3 <> x=1\text{ or }x=2\text{ or }x=3
1,2,3 <> x_1=1,x_2=2,x_3=3
\{1,2\} <> \lbrace 1,2\rbrace
\{-1,1\} <> \pm 1
-1,1 <> \pm1 <> x=\pm 1
\pm 1 <> \{1,-1\}
\pm \frac{1}{2} <> \frac12, -\frac12
\pm\sqrt{2} <> \sqrt2,-\sqrt2
1\pm\sqrt{2} <> x=1\pm\sqrt{2} <> 1\mp\sqrt{2}
\frac{1\pm\sqrt{5}}{2} <> \frac{1+\sqrt{5}}{2},\frac{1-\sqrt5}{2}
\frac{-1\pm\sqrt{5}}{2} <> -\frac{1}{2}\pm\frac{\sqrt{5}}{2}
\frac{1}{2},\frac{1}{3} <> 0.5, \frac13
\sqrt{2},\sqrt{3} <> \sqrt{3},\sqrt{2}
0,1,-1 <> 0,\pm 1
\{0,1,-1\} <> \{0,\pm1\}
x=1,y=2 <> y=2,x=1
a,b,c <> c,b,a
2x, 3y <> 3y, 2x
\pm i <> i, -i
a=1,b=2 <> b=2,a=1
x=1 \text{ or } x=2 <> 1,2
x=1, 2 <> x=2 \text{ or } x=1
n=1, n=2 <> 1,2
\int_0^1 x\,dx <> \frac12
1,2,\ldots,n <> 1,2,\dots,n
3,\!000 <> 3000
3{,}000{,}000 <> 3000000
1,234,567.89 <> 1234567.89
k=\pm 6 <> k = 6, -6 <> \pm 6
-3\pm\sqrt{7} <> -3+\sqrt{7},\ -3-\sqrt{7}
\frac{3\pm\sqrt{17}}{4} <> \frac{3+\sqrt{17}}{4}, \frac{3-\sqrt{17}}{4} <> \frac34\pm\frac{\sqrt{17}}{4}
\pm\frac{1}{2},\pm 1 <> 1,-1,\frac{1}{2},-\frac12
\{2\pm i\} <> 2+i,2-i
-2, -1, 0, 1, 2 <> 0, \pm 1, \pm 2
\frac{-1\pm i\sqrt{3}}{2} <> -\frac12\pm\frac{\sqrt3}{2}i
5\text{ red, }3\text{ blue} <> 5\text{ red, }3\text{ blue}
1,2 <> y=2, x=1
\frac{\pi}{6}, \frac{5\pi}{6} <> x=\frac{\pi}{6},\frac{5\pi}{6}
\{-1,0,1\} <> \{0,-1,1\}
y=\pm\frac{3}{4}x <> y=\pm \frac{3x}{4}
""",
    "matrices and vectors": r"""
\begin{pmatrix}1\\2\end{pmatrix} <> \begin{bmatrix}1\\2\end{bmatrix} <> \begin{pmatrix}1\\2\\\end{pmatrix}
\begin{pmatrix}1\\2\end{pmatrix} <> \begin{psmallmatrix}1\\2\end{psmallmatrix} <> (1,2)
\begin{pmatrix}1/2\\2\end{pmatrix} <> \begin{pmatrix}0.5\\2\end{pmatrix}
\begin{pmatrix}1/2\\2\end{pmatrix} <> \frac{1}{2}\begin{pmatrix}1\\4\end{pmatrix}
\begin{pmatrix}2&0\\0&2\end{pmatrix} <> 2\begin{pmatrix}1&0\\0&1\end{pmatrix}
(2,3,5) <> \langle 2,3,5\rangle
\langle 2,3\rangle <> (2,3)
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \begin{bmatrix}1&2\\3&4\end{bmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \left(\begin{array}{cc}1&2\\3&4\end{array}\right)
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \left[\begin{matrix}1&2\\3&4\end{matrix}\right]
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> A=\begin{pmatrix}1&2\\3&4\end{pmatrix}
\begin{pmatrix}0.5\\2\end{pmatrix} <> \begin{pmatrix}\frac12\\2\end{pmatrix}
\begin{pmatrix}\sqrt{8}\\2\end{pmatrix} <> \begin{pmatrix}2\sqrt{2}\\2\end{pmatrix}
\begin{vmatrix}1&2\\3&4\end{vmatrix} <> -2
\begin{pmatrix}1\\2\\3\end{pmatrix} <> \langle 1,2,3\rangle
\begin{pmatrix}x\\y\end{pmatrix}=\begin{pmatrix}1\\2\end{pmatrix} <> \begin{pmatrix}1\\2\end{pmatrix}
\mathbf{v}=\begin{pmatrix}1\\2\end{pmatrix} <> \begin{pmatrix}1\\2\end{pmatrix}
\begin{bmatrix}1&0\\0&1\end{bmatrix} <> \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}
\begin{pmatrix}a+b\\c\end{pmatrix} <> \begin{pmatrix}b+a\\c\end{pmatrix}
\begin{pmatrix}\frac{1}{2}&1\\0&2\end{pmatrix} <> \frac{1}{2}\begin{pmatrix}1&2\\0&4\end{pmatrix}
\begin{pmatrix}\frac{1}{2}&1\\0&2\end{pmatrix} <> \begin{pmatrix} 0.5 & 1 \\[2mm] 0 & 2 \end{pmatrix}
\begin{cases}x=1\\y=2\end{cases} <> (1,2) <> x=1,y=2
\left|\begin{array}{cc}1&2\\3&4\end{array}\right| <> -2
\begin{pmatrix} 3 & -1 \\ 0 & 2 \end{pmatrix} <> \begin{bmatrix}3&-1\\0&2\end{bmatrix}
\begin{pmatrix} 3 \\ -1 \end{pmatrix} <> \begin{pmatrix}3\\-1.0\end{pmatrix}
\begin{pmatrix} \frac{3}{5} \\ \frac{4}{5} \end{pmatrix} <> \frac{1}{5}\begin{pmatrix}3\\4\end{pmatrix}
\begin{pmatrix}\cos t&-\sin t\\\sin t&\cos t\end{pmatrix} <> \begin{bmatrix}\cos t&-\sin t\\\sin t&\cos t\end{bmatrix}
\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} <> \begin{bmatrix}1&2\\3&4\end{bmatrix}
\begin{pmatrix}1\\0\\0\end{pmatrix} <> \left(\begin{matrix}1\\0\\0\end{matrix}\right)
\begin{pmatrix}2&1\end{pmatrix} <> \begin{bmatrix} 2 & 1 \end{bmatrix}
""",
    "mixed numbers": r"""
3\frac{1}{2} <> \frac72 <> 3.5
3 1/2 <> 7/2
-2\frac{1}{4} <> -\frac94
-2\frac14 <> -2.25
1/2 <> \frac{1}{2}
252 <> \frac{10!}{5!5!}
0.5 <> \frac{1}{2}
.5 <> \frac12
2\frac{1}{3} <> 2.\overline{3} <> \frac{7}{3} <> 2 \frac{1}{3} <> 2 1/3 <> 2\frac13 <> 2\,\frac{1}{3}
2\frac{1}{3} <> 2\ \frac{1}{3} <> 2 + \frac{1}{3}
1.25 <> 5/4 <> \frac{125}{100}
\frac{13}{4} <> 3\frac{1}{4}
-2\frac{1}{3} <> -\frac{7}{3}
\frac{7}{2} <> 3½
\log_2 3 <> \frac{\log 3}{\log 2}
5 / 7 <> \frac57
5\div7 <> \frac57
7.50 <> 7\frac{1}{2}
\log_3 7 <> \frac{\ln 7}{\ln 3}
0.333333333333 <> \frac{1}{3}
7\frac{1}{2} <> 7.5 <> \frac{15}{2}
""",
    "money": r"""
25\% <> 25 percent <> 25\text{ percent} <> 25\,\text{percent} <> $25\%$
\$5.00 <> 5
\$1,250 <> 1250
12\% <> 12\text{ percent}
\$5 <> 5 <> \$5.00 <> 5 dollars <> 5\text{ dollars} <> \text{\$}5 <> $5 <> \$ 5
\$1{,}234.50 <> 1234.5
\$1,234.50 <> \$1234.50
1234.50 <> \$1{,}234.50
1234 <> \$1,234.00
\$0.75 <> 0.75 <> \frac{3}{4}
75\text{ cents} <> 75
1,234 <> \$1234
-\$5 <> -5
20 <> £20 <> 20 euros
5\text{ cm} <> 5\text{ centimeters} <> 5 centimetres
5\text{ cm}^3 <> 5\text{ cubic centimeters}
\text{ $5$ } <> 5
50 <> 50 percent
20\text{ cm}^2 <> 20\,\text{square centimeters}
\$12.50 <> 12.5 <> \$12.5 <> 12.50 dollars <> USD 12.50 <> 12.50 USD
12.50 <> \text{\$12.50} <> \text{12.50 dollars}
1,250 <> \$1,250
-\$3 <> -3
7.50 <> \$7.50
30\text{ cents} <> 30 <> 30¢
\$5, \$10 <> 5, 10
x = \$5 <> 5
\$5\text{ million} <> 5000000
\$\frac{1}{2} <> 0.5
\$1{,}250.75 <> \$1250.75
5\$ <> \$5
\text{\$}5 <> 5
\$12.00 <> 12
3 <> \$3 per hour
\$42 <> \text{\$42}
""",
    "numerals with a base": r"""
1011_2 <> 1011_{2}
101_2 <> 101_{2} <> (101)_2 <> 101_{\text{two}} <> 101_{\text{2}} <> 101_{(2)} <> 101 \text{ base } 2
101_2 <> \text{101 (base 2)}
123_4 <> 0123_4
12 <> 12_{10}
12_{10} <> 12
110_2 <> 110_{2} <> 110_{\text{two}}
BAD_{16} <> BAD_{16}
""",
    "percent": r"""
25\% <> 25 <> 25 \% <> 25\ \% <> x = 25\%
10\frac{1}{2} \% <> 10.5\%
12.5\% <> 12\frac{1}{2}\% <> \frac{25}{2}\%
33\frac{1}{3}\% <> \frac{100}{3}\%
33\frac{1}{3} <> 33\frac{1}{3}\%
0.5\% <> \frac{1}{2}\%
150\% <> 150
\frac{3}{8} <> 37.5\%
37.5\% <> 37.5
\frac{3}{10} <> 30\%
30\% <> 0.30 \times 100\%
0.15 <> 15\%
""",
    "powers, factorials, large and small numbers": r"""
2^{10} <> 1024
10^{-3} <> 0.001
6.02\times10^{23} <> 6.02 \cdot 10^{23} <> 6.02e23
5^{12} <> 244140625
\binom{5}{2} <> 10
4! <> 24
\sqrt[3]{2} <> 2^{1/3}
\frac{5!}{2!} <> 60
1000000 <> 10^6 <> 10^{6}
1000 <> 1e3 <> 1.0e3 <> 1E3
0.001 <> 1e-3
1200 <> 1.2e3
49 <> 7 \times 7
120 <> 5!
252 <> {10 \choose 5}
2^{100} <> 1267650600228229401496703205376 <> 4^{50} <> 2^{50}\cdot 2^{50}
3^{2020} <> 9^{1010}
2025! <> 2025 \cdot 2024!
2\sqrt{3} <> 2 \cdot 3^{\frac{1}{2}}
13^{1/2} <> \sqrt{13}
13^{0.5} <> \sqrt{13}
2\pi <> \pi \times 2
3\times10^8 <> 3 \cdot 10^{8} <> 300000000 <> 300,000,000 <> 3*10^8 <> 3\times 10^{8} <> 30\times10^7
1.5\times10^{-3} <> 0.0015 <> \frac{3}{2000}
\sin^{-1}\frac12 <> \frac{\pi}{6}
2^\frac12 <> \sqrt{2}
7! <> 5040
P_5^2 <> P_5^2
2^3\cdot 3^2 <> 72
2^3\times3^2 <> 3^2 \cdot 2^3
10^{-2} <> 0.01
4.5\times10^{-3} <> .0045
45\times10^2 <> 4500
16 <> 2^{2^2}
720 <> (3!)!
\frac{1}{2^{10}} <> \frac{1}{1024}
8^{2/3} <> 4
27^{\frac{1}{3}} <> 3
-2^2 <> -4
1.0\times10^{-3} <> 0.001
1-2\sin^2\theta <> \cos 2\theta
\cos^2\theta <> 1-\sin^2\theta
\frac{\sqrt[3]{4}}{2} <> 2^{-1/3}
\binom{2024}{2} <> \frac{2024\cdot 2023}{2} <> 2047276
\frac{2025!}{2023!} <> 2025\cdot2024
3^{100} <> 9^{50}
2.5\times10^{-2} <> 0.025
(-8)^{1/3} <> -2
170 <> 1.7\times10^2
""",
    "ratios and times": r"""
2:30 \text{ PM} <> 2:30 p.m.
3:2 <> 3 : 2
\frac{3}{4} <> 3:4
5:30 <> 5:30
5:30 \text{ p.m.} <> 5:30 PM
\text{5:30 pm} <> 5:30\text{ p.m.}
1:2 <> 1 : 2 <> 1 \colon 2 <> \frac{1}{2} <> 2:4
1:2:3 <> 1 : 2 : 3
12:30 <> 12:30
12:30 \text{ PM} <> 12:30 p.m.
9\text{ a.m.} <> 9 AM
1:\sqrt{3} <> 1 : \sqrt3
1:\sqrt3:2 <> 1:\sqrt{3}:2
3:4:5 <> 6:8:10
2:3 <> \frac{2}{3}
a:b=2:3 <> 2:3
AB:BC = 2:3 <> 2:3
3:30 \text{ a.m.} <> 3:30 AM
\frac{1}{2}:\frac{1}{3} <> 3:2
5:3 <> 5 : 3 <> \frac{5}{3}
4:3 <> 4 : 3
10:00 <> 10:00
""",
    "roots, pi and functions": r"""
\ln e^2 <> 2
9 <> \sqrt{81}
\frac{1}{\sqrt{2}} <> \frac{\sqrt2}{2}
2\pi <> \pi\cdot2 <> 2π <> 2pi
\frac{\pi}{3} <> \pi/3
\cot\theta <> \frac{1}{\tan\theta}
2\sqrt{5} <> \sqrt{20}
\frac{15}{4}\sqrt{3} <> \frac{15\sqrt{3}}{4}
\frac{3}{2}+\frac{\sqrt{5}}{2} <> \frac{3+\sqrt{5}}{2}
2\sqrt{3} <> 2\sqrt{3} \approx 3.46 <> 2 \sqrt 3 <> 2\cdot\sqrt{3} <> 2√3 <> 2√(3) <> 2sqrt(3)
\sqrt{12} <> 2\sqrt{3}
\frac{\sqrt{2}}{2} <> \frac{1}{\sqrt{2}} <> \frac12\sqrt2 <> \sqrt{0.5}
\sqrt[3]{16} <> 2\sqrt[3]{2}
\sqrt{3+2\sqrt{2}} <> 1+\sqrt{2}
3+\sqrt{5} <> \sqrt{5}+3
\sqrt{13} <> \sqrt{ 13 }
\frac{2\pi}{3} <> 2\pi/3
e^2 <> e\cdot e <> \exp(2)
\log_{10} 100 <> 2
\frac{\ln 3}{\ln 2} <> \log_2 3
3\ln 2 <> \ln 8
\arcsin\frac12 <> \frac{\pi}{6}
\log_2(8) <> 3
2/3\pi <> \frac{2\pi}{3}
(1/2)\pi <> \frac{\pi}{2}
3*pi/4 <> \frac{3\pi}{4}
sqrt(3)/2 <> \frac{\sqrt{3}}{2}
\frac{\sqrt{3}}2 <> \frac{\sqrt{3}}{2}
\frac\pi{2} <> \frac{\pi}{2}
\frac{\pi}2 <> \frac{\pi}{2}
\frac{1}{\sqrt2} <> \frac{\sqrt{2}}{2}
\sqrt{\frac{3}{4}} <> \frac{\sqrt3}{2}
\sqrt[3]{27} <> 3
\log_{10} 5 <> \log 5
2\ln 3 <> \ln 9
e^{2\ln 3} <> 9
\sin\theta\cos\theta <> \frac{1}{2}\sin 2\theta
\sqrt{2}(\sqrt{3}-1) <> \sqrt6-\sqrt2
\frac{2}{\sqrt{3}-1} <> \sqrt{3}+1
\sqrt[3]{54} <> 3\sqrt[3]{2}
\frac{25\sqrt{3}}{4} <> \frac{25}{4}\sqrt{3}
12\sqrt{2}+12 <> 12(1+\sqrt{2})
16-4\pi <> 4(4-\pi)
1+\frac{\sqrt{3}}{3} <> \frac{3+\sqrt3}{3}
\pi <> 3.14159265359
\frac{\pi}{4} <> 0.785398163397
\frac{\sqrt{5}-1}{2} <> \frac{2}{1+\sqrt5}
\dfrac{1}{2}\ln 3 <> \ln\sqrt{3}
\lfloor \pi \rfloor <> 3
\ln e^3 <> 3
\log_3 27 <> 3
\arcsin 1 <> \frac{\pi}{2}
""",
    "tuples": r"""
(\frac12,3) <> (0.5,3)
(x,y)=(1,2) <> (1,2)
(1,2) <> x=1, y=2 <> (1, 2) <> (1.0,2.0) <> (\frac{2}{2},2) <> (x,y)=(1,2) <> (x, y) = (1, 2) <> x=1\text{ and }y=2
(1,2) <> \{(1,2)\} <> P(1,2) <> P=(1,2) <> (1;2) <> y=2, x=1 <> x_1=1,x_2=2
(a,b) <> (a, b)
(3,\frac{\pi}{2}) <> (3,\pi/2)
(1,2),(3,4) <> \{(3,4),(1,2)\} <> (3,4),(1,2) <> (1,2) \text{ and } (3,4) <> (1,2) and (3,4) <> (1,2); (3,4)
(1,2),(3,4) <> \{(1,2),(3,4)\}
\{(1,2),(3,4)\} <> (3,4),(1,2) <> (1,2),(3,4)
(2\frac{1}{2}, 3) <> (2.5, 3)
(2 1/2, 3) <> (5/2, 3)
(1,2,3) <> (a,b,c)=(1,2,3) <> a=1,b=2,c=3 <> (1, 2, 3)
(\frac{1}{2},-3) <> (0.5,-3)
(\sqrt{8},1) <> (2\sqrt{2},1)
(3,-1+\sqrt{2}) <> (3,\sqrt{2}-1)
(1000, 2000) <> (1,000, 2,000)
(2,5) <> ]2,5[
\text{(-2, 3)} <> (-2,3)
(2,3) \text{ and } (4,5) <> (4,5),(2,3)
\{(1,2),(2,1)\} <> (1,2),(2,1)
(x,y)=(1,2),(2,1) <> (1,2),(2,1)
(1,2,3),(3,2,1) <> (3,2,1),(1,2,3)
x=1,y=2,z=3 <> (1,2,3)
(x,y,z)=(1,2,3) <> x=1, y=2, z=3 <> (1,2,3)
(2, -3) <> (2,-3).
(2,-3) <> (2,−3)
( -1 , \frac{3}{2} ) <> (-1, 1.5)
(3\sqrt2, \frac{\pi}{4}) <> (\sqrt{18}, \pi/4)
(a+b, a-b) <> (b+a, -b+a)
(1,2)\text{ and }(3,4) <> \{(1,2),(3,4)\}
\max(a,b) <> \max(b,a)
\gcd(12,18) <> 6
(1,200) <> (1, 200)
(\sqrt{2}, \sqrt{3}) <> (\sqrt 2,\sqrt 3)
(0,-\frac{1}{2}) <> (0, -0.5)
(5+\sqrt{2},5-\sqrt{2}) <> (5+\sqrt2, 5-\sqrt2)
(2n+1, n) <> (1+2n,n)
(a,b)=(3,4) <> a=3,b=4 <> (3,4)
f(x) = 2x, g(x)=3x <> f(x)=2x, g(x) = 3x
(2,3) <> m=2, b=3
(2,3),(3,2) <> (x,y)=(2,3) \text{ or } (3,2) <> (x, y) = (2, 3), (3, 2)
""",
    "units and counted things": r"""
5\text{ cm} <> 5 <> 5 cm <> 5\,\mathrm{cm} <> 5~\text{cm}
12 \text{ square feet} <> 12\text{ ft}^2
30 \text{ miles per hour} <> 30 mph
4 \text{ hours} <> 4 \text{ hrs}
13\text{ feet} <> 13\text{ ft}
8\text{ cubic meters} <> 8\text{ m}^3
6\text{ apples} <> 6 apples
18\text{ sq. units} <> 18
5,7 <> 5\text{ and }7
8 <> 8\text{ m}
\text{16 feet} <> 16
10\frac{1}{2}\text{ feet} <> 10.5
3\frac12\text{ hours} <> 3.5 hours
5 <> 5 apples <> 5\textrm{ apples} <> 5\,\text{m/s} <> 5\text{ m}^2 <> \text{Area}=5\text{ cm}^2 <> BC=5\text{ cm}
5 <> 5 people <> 5 \text{ (people)}
5\text{ m}^2 <> 5\text{ square meters} <> 5 sq m
5 \text{ ft} <> 5 feet
5\text{ mph} <> 5\text{ miles per hour}
5\text{ days} <> 5 days <> 5
5\pi\text{ cm}^2 <> 5\pi
5\pi <> 5 \pi cm^2
\frac{3}{2}\text{ hours} <> 1.5\text{ hours}
12 <> 12\text{ ways} <> 12\ \text{ways} <> 12\text{ different integers}
1,2,3 <> 1, 2 \text{ and } 3
10\sqrt{10} <> 10\sqrt{10}\text{ units}
\text{infinitely many} <> \text{Infinitely many}
\text{5 apples} <> 5
4 \text{ and } -1 <> -1, 4
5\text{ million} <> 5000000
5 million <> 5,000,000
20\text{ cm}^2 <> 20 cm^2 <> 20 cm² <> 20 sq. cm <> 20 \text{ sq cm}
20 \text{ m/s} <> 20 \text{ m} / \text{s}
60\text{ mph} <> 60 \text{ mi/h}
3\frac14\text{ in} <> \frac{13}{4}\text{ in}
\frac{5}{7}\text{ of an hour} <> \frac57
12,345 <> 12345\text{ people}
k=\pm6 <> 6\text{ and }-6
100\sqrt{3} <> 100 \sqrt{3} \text{ m}^2
\text{square} <> square
1/2 \text{ and } 1/3 <> \frac12,\frac13
2.5 \text{ hours} <> 2\frac{1}{2}\text{ hours}
10\text{ cm}^3 <> 10\text{ cubic cm} <> 10 cm^3
\frac{\pi}{6}, \frac{5\pi}{6} <> \frac{\pi}{6} \text{ and } \frac{5\pi}{6}
12\pi\text{ cm}^2 <> 12\pi \text{ square cm}
80\text{ km/h} <> 80 km/h
""",
    "words": r"""
\text{Monday} <> monday <> Monday <> \textit{Monday} <> \mathit{Monday} <> It is Monday
\text{Yes} <> yes <> Yes <> yes. <> \text{Yes.}
\text{no real solutions} <> No real solutions
\text{odd} <> Odd
\text{one third} <> one third
\text{Area} = 12 <> 12
5 <> \text{Answer: }5 <> \text{The answer is } 5 <> \text{Area} = 5
\frac{2\pi}{3} <> \frac{2 \pi}{3}\text{ radians}
\text{yes} <> \textbf{Yes} <> \text{Yes, it is}
\text{True} <> true <> \text{TRUE}
\text{red} <> Red
\text{no solution} <> \text{No solution} <> \text{no solutions} <> No solution.
\text{ellipse} <> Ellipse <> \text{an ellipse}
\text{neither} <> neither
\text{convex} <> \text{Convex}
\text{Sunday, March 5} <> Sunday, March 5
2\text{cis}\frac{\pi}{3} <> 2\text{cis}\frac{\pi}{3}
\text{January} <> \textbf{January}
\text{Friday} <> \text{ Friday }
\text{blue} <> \mathrm{blue}
\text{right triangle} <> right triangle <> \text{Right Triangle} <> \text{a right triangle}
25 <> \text{Area of } ABC = 25
\text{DNE} <> DNE
\text{undefined} <> undefined
\text{Evelyn} <> \text{Evelyn } <> Evelyn.
\text{Angela, Briana} <> \text{Angela and Briana}
\text{hyperbola} <> \text{a hyperbola}
\text{parallelogram} <> Parallelogram
\text{sometimes} <> Sometimes
\text{ACD} <> ACD
\text{even} <> \text{Even}.
17 <> 17\text{ (answer)}
""",
    "wrappers": r"""
1 \frac{3}{5} <> \frac{8}{5}
42 <> $42$ <> \(42\) <> \mathbf{42} <> \boxed{42}
252 <> \binom{10}{5} <> \dbinom{10}{5}
5 <> \boxed{5} <> \(5\) <> \[5\] <> $$5$$ <> \mathbf{5} <> \text{5} <> \displaystyle 5 <> \color{red}{5}
5 <> \textcolor{blue}{5} <> {\color{red} 5} <> **5** <> 5 \quad <> 5\\ <> \underline{5} <> \large 5 <> \boldsymbol{5}
\sqrt{10} <> \sqrt{2}\sqrt{5} <> \sqrt{2} \cdot \sqrt{5}
25 <> \boxed{N=25}
\{1,3,5,\ldots\} <> \{1,3,5,\dots\}
0.4 <> \frac{2}{5}
""",
}

DIFFERENT = {
    "choices": r"""
A <> B <> (B) <> AB <> A,B <> A, C <> a+1
A,C <> A
\text{(C)} <> \text{(D)}
D <> \text{E}
B <> \text{(C) } 5 <> C) 5 <> \text{(B), (C)} <> B+C <> 2B
6 <> \textbf{(B) }5
12 <> \textbf{(C)}\ 13
""",
    "complex numbers": r"""
3+4i <> 3-4i <> 7 <> 4+3i <> -3+4i <> 3+4 <> 5 <> 3+4j
3i <> 3
-i <> i
2\sqrt{3} <> 2\sqrt{-3}
7 <> 7i
i <> -i <> 1 <> j
\frac{1}{2}+\frac{\sqrt{3}}{2}i <> \frac{1-i\sqrt{3}}{2}
-\frac{i}{2} <> \frac{i}{2}
-4-3i <> -4+3i
""",
    "congruences": r"""
x \equiv 3 \pmod{7} <> x\equiv 3\pmod 5 <> x\equiv 4\pmod 7
""",
    "decimals and fractions": r"""
\frac34 <> 34
0.1 <> 0.01 <> 0.11
0.00001 <> 0.00002
0.1234567890123 <> 0.1234567890124
0.5 <> .05
23 <> 0.23
12345 <> 12.345 <> 12345.1
1 <> 0.9999999
2 <> 1.9999
\frac{1}{3} <> 0.3333333 <> 0.3
\frac{2}{3} <> 0.6667 <> 0.66666667
\frac{22}{7} <> 3.14
\frac{1}{6} <> 0.\overline{16}
0.\overline{12} <> 0.\overline{21}
1.25 <> 1.2
3.14 <> 3.1416
-\frac{3}{4} <> \frac{3}{4} <> -\frac{4}{3}
\frac{3}{4} <> 3.4
\frac{13}{4} <> \frac{1}{34}
25 <> 0.25
0.25 <> 25 <> 2.5 <> -0.25
\frac{1}{4} <> 25
0.333 <> 0.333\ldots
\frac{12}{5} <> \frac{1}{25} <> 12.5
\lceil 2.1\rceil <> 2
\frac{1}{1000} <> 0.01
7.50 <> 750
\frac{7}{12} <> \frac{7}{1}2 <> \frac{12}{7} <> 0.58 <> -\frac{-7}{-12}
7\frac{1}{2} <> 7\cdot\frac12
""",
    "degrees": r"""
60^\circ <> 61^\circ
30^\circ <> 60^\circ <> 300 <> 3.0^\circ <> 30 \pi
\tan 30^\circ <> \sqrt{3}
\text{ellipse} <> \text{circle}
\cos 75^\circ <> \frac{\sqrt{6}+\sqrt{2}}{4}
45^\circ <> \frac{\pi}{3}
180^\circ <> 2\pi
""",
    "equations and names in front": r"""
x=5 <> x=-5 <> x <> x=50 <> 2x=5
x+y=3 <> x+y=4
y=3x-2 <> y=3x+2 <> y=-3x+2
f(x)=x+1 <> f(x)=x-1
x=\frac{1}{2} <> x=2
x_1=1 <> x_1=2
5 <> x=-5 <> x=6 <> 5=6
x+y=1 <> x-y=1 <> x+y=2 <> x+y <> 1 <> x+z=1
y=2x+3 <> y=2x-3 <> y=-2x+3 <> 2x
(x-1)^2+(y+2)^2=9 <> (x+1)^2+(y-2)^2=9 <> (x-1)^2+(y+2)^2=3
f(x)=3x <> f(x)=4x
m+n=113 <> 113
25 <> 25=26
0 <> x^2-1=0
x^2+y^2=25 <> 25
y=x^2-4x+3 <> y=(x+1)(x+3)
2x-3y+6=0 <> 2x-3y-6=0 <> y=\frac32x+2 <> 2x-3y+6
x^2+1=0 <> x^2+4=0
x+y+z=0 <> x+y=0
\frac{x}{2}+\frac{y}{3}=1 <> 2x+3y=6
y=3x-1 <> y=-3x-1 <> 3x-1=0
x+2y=7 <> 2x+y=7
\frac{x^2}{9}-\frac{y^2}{16}=1 <> \frac{x^2}{16}-\frac{y^2}{9}=1
12 <> 12=x=13
""",
    "formulas": r"""
1 \text{ or } 2 <> 1
5 <> 5x <> 5 + C
x^2-1 <> x^2+1
xy <> x+y
\sin x <> \sin y
\frac{1}{x} <> x
P_1 <> P_2
\tan x <> \cot x
\frac{x+1}{2} <> \frac{2}{x+1}
k\pi <> 2k\pi
5m <> 5
2\pi <> 2p
x^2+2x+1 <> x^2+2x <> x^2+2x+10
(x-1)(x+2) <> (x-1)(x-2)
2^{n+1} <> 2^{n}
\sin^2 x <> \sin x
|x| <> -x
2x <> x^2
x+1 <> x-1
-x <> x
2A_{16} <> 2B_{16}
x_1 <> x1
2\cdot 3^n <> 6^n
A+B <> A
-\frac{x-1}{2} <> \frac{-x-1}{2}
f'(x) <> f(x)
\pi r^2 <> \pi R^2
(x+1)^2 <> x^2+1
\frac{a}{bc} <> \frac{a}{b}c
\log(ab) <> \log a \log b
\ln x <> \log x
\binom{n}{k} <> \binom{k}{n}
1 <> I
\frac{x-1}{x+1} <> \frac{x+1}{x-1}
12 <> x \approx 13
\sqrt{x+1} <> \sqrt{x}+1
|x+1| <> x+1
24xyz <> 24
""",
    "inequalities": r"""
x>3 <> x<3 <> x\ge3 <> 3
x<1 <> x<1, x>2
(-2,5) <> -2\le x\le5
5 <> x \ne 5 <> x>5 <> x \le 5
(0,1) <> 0 \le x \le 1
[0,1) <> 0 < x \le 1
[0,1] <> x \le 1
[-1,1] <> |x|<1 <> -1 \le x
a<b<c <> a<c<b
x>2 <> x>=2 <> x<2 <> x>3 <> y>2 <> x=2 <> 2
1<x<2 <> 1<x<3 <> x<2
f(1)<f(2)<f(3) <> f(1)<f(3)<f(2)
x+y=1 <> x+y>1
(2,5) <> 2 < x \text{ or } x < 5
x>1 <> -x>-1 <> x^2>1
a+b>c <> a+b<c <> a-b>c
x>0, y>0 <> x>0
[1,3) <> 1<x<3 <> 1\le x\le 3
(1,3) <> x>1
2<x\le5 <> 2\le x<5 <> (2,5)
x\leq -2 \text{ or } x \geq 2 <> x\le 2 or x\ge -2 <> x\le -2
m\geq 4 <> m \ge -4 <> 4
m\ge4 <> m=4
""",
    "integers": r"""
25 <> 52
025 <> 250
1000 <> 10000 <> 1,0000
999999999999999 <> 999999999999998
5 <> 55 <> ? <> . <> \text{} <> \{5\} <> 5?6 <> 5 6
100 <> 1 <> 10
23 <> 230 <> 32
33 <> 333
7 <> 6 <> -7
999 <> 1000
120 <> 5
123456789012345678 <> 123456789012345679
56 <> 5 6
12 <> 1 2 <> 1 \cdot 2
123 <> 1 23
1234 <> 12 34
4 <> 4?
1234567 <> 12,34,567
1200 <> (1,200)
42 <> 420
""",
    "intervals and sets of solutions": r"""
[0,5] <> (0,5)
[1,\infty) <> x>1
\emptyset <> \{0\}
\infty <> -\infty
(1,2)\cup(3,4) <> (1,2)\cap(3,4) <> (1,2)
[2,3] <> (2,3)
[0,1] <> (0,1) <> (0,1] <> \{0,1\} <> [1,0] <> [-1,0] <> 1
[3,\infty) <> (-\infty,3] <> x \le 3 <> [-3,\infty) <> 3
(-\infty,3) <> (3,-\infty)
\mathbb{R} <> (0,\infty) <> \emptyset
(-\infty,1)\cup(1,\infty) <> (-\infty,1]\cup[1,\infty) <> (-\infty,\infty) <> (-\infty,1),(1,\infty)
[1,2]\cup\{5\} <> [1,5]
[1,2]\cup[3,4] <> [1,2]\cap[3,4] <> [1,2)\cup[3,4] <> [1,2],[3,4]
(-\infty,-2)\cup(2,\infty) <> -2<x<2 <> (-2,2)
\{1,2,3\} <> \{1\}\cup\{2,4\}
(-\infty,-1]\cup[1,\infty) <> [-1,1]
\mathbb{R} \setminus \{1,2\} <> (-\infty,1)\cup(2,\infty)
[1,3) <> (1,3)
(-\infty, 3) <> [-\infty, 3)
[0,\frac{\pi}{2}] <> [0,\frac{\pi}{2}) <> [0,90]
(-\infty, -3) \cup (-3, 3) \cup (3, \infty) <> (-\infty,-3)\cup(3,\infty)
(-\infty,2\sqrt{2}] <> x<\sqrt{8}
(-3,-2)\cup(0,1) <> (-3,-2)\cap(0,1)
0 <> \emptyset
""",
    "lists and sets": r"""
(0,5] <> [0,5)
\{1,2,3\} <> \{1,2\} <> \{1,2,3,4\} <> 6
1,2,3 <> 1,2
1,000 <> 1
\pm 3 <> 3
2\pm\sqrt3 <> 2\pm\sqrt2
1,2 <> 1.2 <> -1,-2 <> [1,2]
x=1,y=2 <> x=1
x=1, y=2 <> y=1, x=2
5 <> 5,5 <> x=5, y=6 <> \text{5 or 6}
1.2 <> 1,2
42 <> 41 or 42
1000 <> 1,00
7 <> 7,7
2\frac{1}{3} <> 2, \frac{1}{3}
(0,1] <> [0,1)
1\pm\sqrt{2} <> -1\pm\sqrt{2} <> 2\pm\sqrt{2}
1 <> \pm 1
-1,1 <> 1
2x,3y <> 2x,3z
2\sqrt{3} <> 2, \sqrt{3}
3+4i <> (3,4)
x+1 <> x+1,x
a=1,b=2 <> 2,1
4 <> 2 \text{ or } 4
12 <> 1,2
\{1\} <> \{1,1,2\}
2x+1 <> 2x+1, x
k=\pm6 <> 6
\frac{3\pm\sqrt{17}}{4} <> \frac{3\pm\sqrt{17}}{2} <> \frac{3+\sqrt{17}}{4}
\{1,3,5,\ldots\} <> \{1,3,5\}
\frac{\pi}{6}, \frac{5\pi}{6} <> \frac{\pi}{6}
""",
    "matrices and vectors": r"""
\begin{pmatrix}1\\2\end{pmatrix} <> \begin{pmatrix}2\\1\end{pmatrix} <> \begin{pmatrix}-1\\2\end{pmatrix}
\begin{pmatrix}1\\2\end{pmatrix} <> \begin{pmatrix}1\\2\\3\end{pmatrix} <> (2,1) <> \begin{pmatrix}1&2\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \begin{pmatrix}1&3\\2&4\end{pmatrix} <> \begin{pmatrix}1&2\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \begin{pmatrix}1&2\\3&5\end{pmatrix} <> \begin{vmatrix}1&2\\3&4\end{vmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> \begin{pmatrix}1&2&3&4\end{pmatrix} <> -2
\begin{pmatrix}1&2\\3&4\end{pmatrix} <> 2\begin{pmatrix}1&2\\3&4\end{pmatrix}
\begin{pmatrix}0&0\\0&0\end{pmatrix} <> 0
\begin{pmatrix} 3 \\ -1 \end{pmatrix} <> \begin{pmatrix}3\\1\end{pmatrix} <> 3,-1 <> (-1,3)
""",
    "mixed numbers": r"""
3\frac{1}{2} <> \frac{3}{2} <> 3
-3\frac12 <> -2.5
1 1/2 <> 11/2
\frac34 <> \frac43
0.333 <> \frac13 <> \frac{1}{3}
0.3333 <> \frac13
\frac{11}{2} <> 1\frac12
7 <> \frac{1}{7}
0.33 <> 1/3
\frac{13}{4} <> 1\frac{3}{4}
2\frac{1}{3} <> \frac{2}{3} <> 2\frac{2}{3} <> 21/3 <> 2.3
-2\frac{1}{3} <> -\frac{5}{3}
33\frac{1}{3} <> 33.3
\frac14 <> \frac{25}{1}
\frac{12}{5} <> 1\frac{2}{5}
1\frac{2}{5} <> \frac{12}{5}
0.25 <> \frac{1}{5}
12 <> \frac{1}{2}
1\frac{7}{10} <> 17
""",
    "money": r"""
\$5 <> \$50 <> \$5.50 <> 5,00 <> €5 <> 5\text{ cents}
$0.50 <> 50
\$0.75 <> 75 <> 75 \text{ cents}
75\text{ cents} <> 0.75
\$1,234 <> \$1,235 <> \$1.234
5 <> 5 percent of 10
\$12.50 <> 1250 \text{ cents} <> \$12.05
10 <> \text{ten percent}
30\text{ cents} <> \$30 <> 0.30
\$1{,}250.75 <> 1250.57
""",
    "numerals with a base": r"""
1011_2 <> 1011_3 <> 1011 <> 10112
10 <> 010_2
101_2 <> 101_3 <> 1012 <> 110_2 <> 1010_2 <> 5_2
12_3 <> 21_3
12_8 <> 12 <> 10
110_2 <> 6 <> 110 <> 110_{3} <> 101_2
BAD_{16} <> DAB_{16}
""",
    "percent": r"""
25\% <> 0.2 <> 2.5 <> 52\% <> 2500 <> 2.5\% <> 0.25\% <> 250\%
33\frac{1}{3}\% <> 33.33\%
-25\% <> 25\%
20\% <> 25\%
5\% <> 0.5\%
37.5\% <> \frac{3}{8}\%
15\% <> 1500
0.15 <> 1.5\%
""",
    "powers, factorials, large and small numbers": r"""
2^{10} <> 2^{11} <> 20 <> 210
1e-13 <> 0
10^{100} <> 10^{101}
7^{100} <> 7^{101}
2 \times 10^3 <> 2\times10^4
\frac{1}{2004!} <> \frac{1}{2003!}
5! <> 5
100 <> 1e3
1200 <> 1.2e4
7 <> 7^2
252 <> \binom{10}{4}
2^{100} <> 1267650600228229401496703205377 <> 2^{101}
3^{2020} <> 9^{1011}
2\pi <> \pi^2
3\times10^8 <> 3\times10^7 <> 3\times10^{-8} <> 3^8 <> 30^8
1.5\times10^{-3} <> 0.015 <> 0.00151
10^{-20} <> 10^{-21}
2\times 10^{-15} <> 3\times 10^{-15}
\frac{1}{10^{20}} <> \frac{1}{10^{21}}
\frac{1}{3^{50}} <> \frac{1}{3^{51}} <> 0
1+10^{-14} <> 1
10^{14}+1 <> 10^{14}
10^{20} <> 10^{20}+1
\sqrt{10^{20}+1} <> 10^{10}
4.5\times10^{-3} <> 4.5\times10^{3}
2^{16} <> 2^{2^{2^{3}}}
(-2)^2 <> -4
3 <> \sqrt{3}^3
\cos^2\theta <> \cos 2\theta
2^{2024}-1 <> 2^{2023}-1
3^{100} <> 3^{99}
2.5\times10^{-2} <> 0.25
""",
    "ratios and times": r"""
2:30 \text{ PM} <> 2:30 AM
1:30 <> 3:10
3:2 <> 2:3 <> 3/4
\frac{3}{4} <> 4:3
5:30 \text{ p.m.} <> 5:30 \text{ a.m.}
5:30 <> 5:31 <> 530 <> 5.5
1:2:3 <> 1:3:2
1:2 <> 2:1 <> 1.2 <> 12 <> 2
9\text{ a.m.} <> 9 PM
9 \text{ a.m.} <> 9
1:\sqrt3:2 <> 1:2:\sqrt3
2:3 <> \frac{3}{2} <> 23
5:3 <> 3:5 <> 5.3 <> (5,3) <> 5,3
5 <> 0:0
10:00 <> 10
""",
    "roots, pi and functions": r"""
3.14 <> \pi
3.14159 <> \pi
1.414 <> \sqrt2
e^2 <> e^{-2}
\sqrt{50} <> 2\sqrt{5}
\log_2 3 <> \log_3 2 <> \log 3
1+\sqrt2 <> 1-\sqrt2
\sqrt[3]{2} <> \sqrt{2} <> 3\sqrt{2}
7 <> 7\pi
\frac{22}{7} <> \pi
\pi <> 3.14159265
\sqrt{2} <> 1.4142
\ln 2 <> 0.693
\frac{\sqrt{2}}{2} <> \sqrt{2} <> \frac{2}{\sqrt{2}} <> 0.7071
2\sqrt{3} <> \sqrt{6} <> 2\sqrt{5} <> -2\sqrt{3} <> 2\sqrt[3]{3} <> 23
3+\sqrt{5} <> 3-\sqrt{5} <> 3\sqrt{5} <> \sqrt{8}
\frac{2\pi}{3} <> \frac{\pi}{3} <> \frac{3\pi}{2}
2\pi <> 6.28 <> 2
4-\pi <> \pi-4
\sqrt{12} <> \sqrt{1}2 <> 12
2\sqrt{2} <> \sqrt{2\sqrt{2}}
2\ln 3 <> \ln 6
\sqrt{7+4\sqrt3} <> 2-\sqrt{3}
\sqrt[3]{54} <> 3\sqrt{6}
\frac{25\sqrt{3}}{4} <> 10.825
45 <> \frac{\pi}{4}
\frac{\sqrt{5}-1}{2} <> \frac{\sqrt{5}+1}{2}
""",
    "tuples": r"""
(0,5] <> (0,5)
(1,2) <> (2,1) <> \{1,2\} <> 1,2 <> [1,2] <> (1,2] <> [1,2) <> (1,3) <> (-1,2) <> 1.2 <> 3 <> (12) <> (1,2),(3,4)
(1,2) <> (1,2),(2,1)
(x,y)=(1,2) <> (2,1)
(1,234) <> 1234 <> 1,234
(1,2,3) <> (1,3,2)
(1,2),(3,4) <> (1,2),(4,3) <> (1,2) <> (1,2,3,4) <> (2,1),(4,3)
\{(1,2),(3,4)\} <> \{1,2,3,4\}
(0,1] <> (0,1)
(\sqrt{8},1) <> (2,1)
(3,\frac{\pi}{2}) <> (3,\frac{\pi}{3}) <> (3,90)
(1000,2000) <> (1,000,2,000)
\{1,2,3\} <> (1,2,3)
1,2 <> (1,2)
(-1, \frac32) <> (-1, 1.49)
(a+b,a-b) <> (a-b,a+b)
(1,3) <> (1,3] <> [1,3] <> \{1,3\} <> 1,3 <> 1.3
(5+\sqrt{2},5-\sqrt{2}) <> (5-\sqrt{2},5+\sqrt{2})
(1,2),(2,1) <> (1,2)
(a,b)=(3,4) <> a=4,b=3
""",
    "units and counted things": r"""
5\text{ cm} <> 5\text{ m} <> 5\text{ cm}^2 <> 6\text{ cm} <> 5\text{ mm}
5\text{ feet} <> 5\text{ inches}
\text{increasing} <> decreasing <> \text{decreasing}
3\text{ apples} <> 4\text{ apples}
5 <> five hundred <> 5 million <> 5 hundred <> 5\text{ thousand} <> 5 \text{ or more} <> 5 \text{ dozen} <> 5 squared
5 <> 5 halves <> 5 plus 1 <> 5 minus 2
5\text{ m}^2 <> 5\text{ m}^3
5\text{ hours} <> 5\text{ minutes}
5\text{ inches} <> 5\text{ feet}
5\text{ kg} <> 5\text{ g}
5\text{ mph} <> 5\text{ km/h}
5\text{ miles} <> 5\text{ mph}
5 \text{ ft/s} <> 5 \text{ m/s}
10 <> 1 \text{ cm}
\text{no solution} <> \text{infinitely many solutions}
\text{5 apples} <> 6
5 million <> 5
20\text{ cm}^2 <> 20 \text{ cm} <> 20 \text{ m}^2
20 \text{ m/s} <> 20 \text{ km/h}
60\text{ mph} <> 60 \text{ km per hour}
3\frac14\text{ in} <> 3\frac14\text{ ft}
1 \text{ solution} <> 2 \text{ solutions}
\text{square} <> \text{rectangle}
2.5\text{ hours} <> 2.5\text{ minutes} <> 150 \text{ minutes}
6\text{ feet} <> 6 \text{ inches}
10\text{ cm}^3 <> 10\text{ cm}^2
""",
    "words": r"""
\text{Monday} <> Tuesday <> \text{Sunday} <> \text{Monday and Tuesday}
\text{Yes} <> no <> \text{No}
\text{even} <> odd
\text{no solution} <> 0
\text{Alice} <> Bob
\text{not increasing} <> increasing
42 <> I think it is 42 or 43
\text{True} <> \text{False}
\text{red} <> \text{green} <> \text{not red}
\text{ellipse} <> \text{hyperbola}
\text{acute} <> \text{obtuse}
5 <> \text{not } 5 <> \text{between 5 and 6} <> \text{at least } 5 <> \text{about } 6
\text{yes} <> \text{no}
\text{right triangle} <> \text{isosceles triangle} <> \text{right}
3 <> \text{three or four}
1 <> \text{one of } 1, 2
\text{none} <> 0
0 <> \text{no solutions}
\text{Evelyn} <> \text{Angela} <> \text{Evelyn, Angela}
\text{parallelogram} <> \text{trapezoid}
\text{odd} <> it is not odd
""",
}


def _pairs(lines):
    for line in lines.strip().splitlines():
        gold, *forms = line.split(" <> ")
        for form in forms:
            yield gold, form


@pytest.mark.parametrize("family", EQUAL)
def test_equal_forms(family):
    assert [pair for pair in _pairs(EQUAL[family]) if not equivalent(*pair)] == []


@pytest.mark.parametrize("family", DIFFERENT)
def test_near_misses(family):
    pairs = list(_pairs(DIFFERENT[family]))
    assert [pair for pair in pairs if equivalent(*pair)] == []
    assert [(gold, answer) for gold, answer in pairs if canonical(gold) == canonical(answer)] == []


def test_equality_is_symmetric():
    """But for equations: "a + b = 5" gives the value 5, and 5 is no equation."""
    families = [*EQUAL.items(), *DIFFERENT.items()]
    pairs = [pair for family, lines in families if not family.startswith("equations") for pair in _pairs(lines)]
    assert [pair for pair in pairs[::7] if equivalent(*pair) != equivalent(*reversed(pair))] == []
    assert equivalent("5", "a+b=5") and not equivalent("a+b=5", "5")


def test_vote_keys_keep_their_value():
    answers = {answer for lines in [*EQUAL.values(), *DIFFERENT.values()] for pair in _pairs(lines) for answer in pair}
    assert [answer for answer in sorted(answers) if canonical(canonical(answer)) != canonical(answer)] == []
    assert canonical(r"\frac{6}{4}") == canonical("1.5") == canonical("1 1/2") == canonical("x = 3/2")
    assert canonical("{3, 1}") == canonical("1 and 3") != canonical("(1, 3)")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"First \boxed{1}, no, \boxed{2}.", "2"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{3} and then \boxed{4", "3"),
        (r"\boxed{3}, in the form \boxed{}", "3"),
        (r"\boxed{5}}", "5"),
        (r"{{\boxed {5}", "5"),
        (r"\boxed 7", "7"),
        (r"\boxed\frac12 of it", r"\frac12"),
        (r"\boxed\text{A}", r"\text{A}"),
        (r"\fbox{8}", "8"),
        (r"\\boxed{8}", "8"),
        ("boxed{8}", "8"),
        (r"\boxed{\boxed{9}}", "9"),
        (r"\boxed", None),
        (r"\boxed{ }", None),
    ],
)
def test_boxes(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The final answer is $12$. I hope it is correct.", "12"),
        ("Final Answer: The final answer is $7$. I hope it is correct.", "7"),
        ("So the answer is 42. That was easy.", "42"),
        ("The answer is 3.5", "3.5"),
        ("The answer is 1,234.", "1,234"),
        ("The answer is (1, 2).", "(1, 2)"),
        ("The answer is $x=1$ and $y=2$.", "$x=1$ and $y=2$"),
        ("The answer is $25$%.", "$25$%"),
        ("The answer is\n\\[\n42\n\\]", "42"),
        ("The answer is 42, because 6 * 7 = 42.", "42"),
        ("The answer is therefore 5.", "5"),
        ("The answer to the question is 7.", "7"),
        ("The answer should be about 7", "7"),
        ("The correct option is B.", "B"),
        ("**Final Answer**: 14/3", "14/3"),
        ("**Final Answer**\n\n$5$", "5"),
        ("## Answer\n5\n", "5"),
        ("**Answer:** 42", "42"),
        ("Answer = 5", "5"),
        (r"\textbf{Answer: } 5", "5"),
        ("Final Answer: The largest $n$ is 34.", "34"),
        ("#### 10\nmore\n#### 20", "20"),
        ("There are 12 cases, and 30 in all.", None),
        ("x = 5", None),
        ("The answer is", None),
        ("I cannot solve it.", None),
        ("", None),
    ],
)
def test_closing_phrases(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"<think>\boxed{3}?</think>The answer is \boxed{4}", "4"),
        (r"<think>\boxed{3}?</think>The answer is 4.", "4"),
        (r"<think>\boxed{3}</think>", "3"),
        ("The answer is 7.<|im_end|>\n<|im_start|>user\nThe answer is 9.", "7"),
        ("\\boxed{7}\n\nHuman: And 2+2?\n\nAssistant: \\boxed{4}", "7"),
    ],
)
def test_thoughts_and_further_turns(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize("nothing", [None, "", "  ", 5, b"5"])
def test_what_is_no_text_is_no_answer(nothing):
    assert extract_answer(nothing) is None
    assert equivalent("5", nothing) is False and equivalent(nothing, "5") is False


HOSTILE = [
    "9^{9^{9^9}}", "10**(10**10)", "((99!)!)!", "99999^{99999}", "((((9^9)^9)^9)^9)^9", r"\int_0^{10} x^{x^x} dx",
    r"\prod_{k=1}^{10000000} k", r"\sum_{k=1}^{9999} \frac{1}{k^k}", r"\binom{99999}{49999} x",
    "__import__('os').system('true')", "def f(x): return x", "lambda: 5", r"\input{/etc/passwd}",
    r"\frac{" * 700, "(" * 1900, "{" * 100_000, "\n" * 100_000, "}{" * 50_000, r"\boxed{" * 15_000, "1" * 100_000,
    "$" * 100_000, "answer is " * 10_000, "answer" + " " * 100_000, "final answer is " * 6000, "√" * 1900, "1," * 990,
    "5 cm " * 390, r"\boxed\frac{" * 9000, "\x00\ud800", "",
]  # fmt: skip


def _worst(texts):
    worst = 0.0
    for text in texts:
        start = time.monotonic()
        assert equivalent("x+1", text) is False
        worst = max(worst, time.monotonic() - start)
        start = time.monotonic()
        canonical(text)
        extract_answer(text)
        worst = max(worst, time.monotonic() - start)
    return worst


def _patience():
    """PATIENCE on a machine that is free, more as others take their part of it: the grading clock is computing time."""
    start, computed = time.monotonic(), time.process_time()
    while time.process_time() - computed < 0.2:
        pass
    return PATIENCE * max(1.0, (time.monotonic() - start) / 0.2)


def _varied(count):
    """The first hostile texts, changed so that no verdict is remembered."""
    return [text + " + 0" * count for text in HOSTILE[:8]]


@pytest.fixture
def running():
    """The grading process is up."""
    assert equivalent(r"\sqrt{8}", r"2\sqrt{2}")


def test_hostile_texts_return_in_time(running):
    before = _patience()
    assert _worst(HOSTILE) < max(before, _patience())
    assert equivalent(r"\sqrt{8} + 1", r"1 + 2\sqrt{2}")


def test_hostile_texts_return_in_time_from_eight_threads(running):
    before = _patience()
    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(_worst, map(_varied, range(1, 9)))) < max(before, _patience())
    assert equivalent(r"\sqrt{12}", r"2\sqrt{3}")


def test_hostile_texts_return_in_time_in_an_event_loop(running):
    async def grade():
        return await asyncio.gather(*(asyncio.to_thread(_worst, _varied(count)[4:7]) for count in (10, 11)))

    before = _patience()
    assert max(asyncio.run(grade())) < max(before, _patience())


def test_a_notebook_can_grade():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    cell = nbformat.v4.new_code_cell(f"{WITHOUT_TORCH}({PACKAGE!r})\n{IN_A_NOTEBOOK}")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    printed = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    assert "verdicts [True, False, False]" in printed


# The sub-package alone, as the grading process takes it: these scripts need no torch.
WITHOUT_TORCH = """
import sys, types
def take(root):
    package = types.ModuleType("ttslib")
    package.__path__ = [root]
    sys.modules["ttslib"] = package
take"""
IN_A_NOTEBOOK = r"""
from ttslib.grading import equivalent
print("verdicts", [equivalent("x^2-1", form) for form in ("(x-1)(x+1)", "(x-1)^2", "9^{9^{9^9}}")])
"""


def _script(code, **options):
    code = f"{WITHOUT_TORCH}({PACKAGE!r})\nfrom ttslib.grading import equivalent\n{code}"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options)


def test_nothing_is_executed(tmp_path):
    mark = tmp_path / "mark"
    equivalent("5", f"open({str(mark)!r},'w')")
    equivalent("5", f"().__class__; open({str(mark)!r},'w')")
    assert not mark.exists()


def _workers(pid=None):
    """The grading processes of a process, of this one unless said."""
    return [child for child in psutil.Process(pid).children() if any("popen_loky" in word for word in child.cmdline())]


def test_the_process_comes_back_after_it_was_killed(running):
    for worker in _workers():
        worker.kill()
    assert equivalent(r"\sqrt{18}", r"3\sqrt{2}")


def test_a_pair_whose_process_is_killed_is_decided_by_another(running):
    for worker in _workers():
        worker.suspend()  # it takes the pair and gets nowhere
    end = threading.Timer(0.5, lambda: [worker.kill() for worker in _workers()])
    end.start()
    assert verdict(r"\sqrt{50}", r"5\sqrt{2}") is True
    end.join()


def test_a_process_that_gets_no_computing_time_is_waited_for(running):
    """As on a machine that is busy: three seconds are longer than any pair takes."""
    workers = _workers()
    for worker in workers:
        worker.suspend()
    end = threading.Timer(3.0, lambda: [worker.resume() for worker in workers])
    end.start()
    start = time.monotonic()
    assert verdict(r"\sqrt{72}", r"6\sqrt{2}") is True and verdicts([(r"\sqrt{98}", r"7\sqrt{2}")]) == [True]
    assert time.monotonic() - start > 2.5
    end.join()


def test_verdicts_are_those_of_the_single_pairs():
    pairs = [(f"x^2-{k * k}", f"(x-{k})(x+{form})") for k in range(1, 12) for form in (k, k + 1)]
    endless = [(rf"\prod_{{k=1}}^{{{10**7 + k}}} k", "x") for k in range(2)]
    plain = [("1/2", "0.5"), ("1", "2"), ("1", None), (None, "1"), ("", ""), ("5", 5), ("x", "\ud800")]
    expected = [True, False] * 11 + [None] * 2 + [True] + [False] * 6
    assert verdicts([*pairs, *endless, *plain]) == expected
    assert verdicts([*pairs, *endless, *plain, *pairs]) == expected + expected[:22]
    assert [verdict(*pair) for pair in [*pairs, *endless, *plain]] == expected
    assert verdicts([]) == []


def test_what_is_not_decided_beside_others_is_decided_alone(monkeypatch):
    pairs = [(f"x^3-{k}x", f"x(x^2-{k + wrong})") for k in range(40, 50) for wrong in range(2)]
    monkeypatch.setattr(pool, "QUICK", 1e-3)
    assert verdicts(pairs) == [True, False] * 10 and verdict("x^3-50x", "x(x^2-50)") is True
    monkeypatch.setattr(pool, "LIMIT", 1e-3)
    assert verdicts([("x^3-51x", "x(x^2-51)"), ("x^3-52x", "x(x^2-52)")]) == [None, None]
    assert verdicts(pairs) == [True, False] * 10


def test_threads_share_the_processes():
    batches = [[(rf"\sqrt{{{8 * k * k}}}", rf"{2 * k + wrong}\sqrt{{2}}") for k in range(20, 40)] for wrong in range(6)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(verdicts, batches))
    assert found == [[True] * 20] + [[False] * 20] * 5


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_an_interrupt_ends_a_batch_and_no_process():
    code = r"""
from ttslib.grading import verdicts
assert equivalent(r"\sqrt{8}", r"2\sqrt{2}")
print("ready", flush=True)
try:
    verdicts([(rf"\prod_{{k=1}}^{{{10**7 + k}}} k", "x") for k in range(1000)])
except KeyboardInterrupt:
    print("interrupted", equivalent(r"\sqrt{12}", r"2\sqrt{3}"), flush=True)
"""
    with _script(code, start_new_session=True) as script:
        assert script.stdout.readline().strip() == "ready"
        before = _workers(script.pid)
        time.sleep(1)
        os.killpg(script.pid, signal.SIGINT)
        start = time.monotonic()
        assert script.stdout.readline().strip() == "interrupted True"
        assert time.monotonic() - start < 20  # the batch takes ten minutes
        assert before and all(worker.is_running() for worker in before)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for libraries in /proc")
def test_a_grading_process_loads_no_torch(running):
    for worker in _workers():
        maps = Path(f"/proc/{worker.pid}/maps").read_text()
        # libgomp alone may lie in torch's folder: vLLM has every process after it preload that.
        assert "python" in maps and "libtorch" not in maps and "pandas" not in maps


def test_a_script_without_a_main_guard_can_grade():
    with _script("print('once', equivalent('x^2-1', '(x-1)(x+1)'))") as script:
        assert script.stdout.read().split() == ["once", "True"]


def test_no_process_outlives_a_killed_one():
    code = r"""
import threading, time
assert equivalent(r"\sqrt{8}", r"2\sqrt{2}")
threading.Thread(target=equivalent, args=("5", r"\prod_{k=1}^{10000000} k")).start()
time.sleep(0.3)
print("busy", flush=True)
time.sleep(60)
"""
    with _script(code) as script:
        assert script.stdout.readline().strip() == "busy"
        children = psutil.Process(script.pid).children(recursive=True)
        assert _workers(script.pid)
        script.kill()
    assert not psutil.wait_procs(children, timeout=10)[1]


POOL = """
import multiprocessing
def one(k): return equivalent(rf"\\sqrt{{{8 * k * k}}}", rf"{2 * k}\\sqrt{{2}}")
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(one, [1, 2, 3]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_pool_grades():
    with _script(POOL) as script:
        assert script.stdout.read().split() == ["[True,", "True,", "True]"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_grades_and_leaves_its_parent_alone():
    code = """
import os
assert equivalent("x^2-1", "(x-1)(x+1)")
child = os.fork()
if child == 0:
    os._exit(0 if equivalent("x^2-4", "(x-2)(x+2)") else 1)
print(os.waitpid(child, 0)[1], equivalent("x^2-9", "(x-3)(x+3)"))
"""
    with _script(code) as script:
        assert script.stdout.read().split() == ["0", "True"]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=string.printable + "\\{}^_$½√π∞", max_size=60))
def test_any_text_equals_itself_and_raises_nothing(text):
    assert equivalent(text, text) is bool(text.strip())
    assert extract_answer(text) is None or isinstance(extract_answer(text), str)
    assert canonical(text) == canonical(text)


@settings(max_examples=100, deadline=None)
@given(st.integers(-999, 999), st.integers(1, 99))
def test_fractions_equal_their_other_forms_and_not_their_neighbours(above, below):
    gold = f"\\frac{{{above}}}{{{below}}}"
    for form in (
        f"{above}/{below}",
        f"\\dfrac{{{3 * above}}}{{{3 * below}}}",
        f"x = {gold}",
        f"$\\frac{{{-above}}}{{{-below}}}$",
    ):
        assert equivalent(gold, form) and canonical(gold) == canonical(form)
    assert not equivalent(gold, f"{above + 1}/{below}")
    assert not equivalent(gold, f"{100 * above}/{below}") or above == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 99), st.integers(1, 98), st.integers(2, 99), st.sampled_from(["", "-"]))
def test_mixed_numbers(whole, above, below, sign):
    gold = f"{sign}\\frac{{{whole * below + above}}}{{{below}}}"
    for form in (f"{sign}{whole}\\frac{{{above}}}{{{below}}}", f"{sign}{whole} {above}/{below}"):
        assert equivalent(gold, form) and canonical(gold) == canonical(form)
    assert not equivalent(gold, f"{sign}{whole + 1}\\frac{{{above}}}{{{below}}}")
    glued = int(f"{whole}{above}") == whole * below + above  # 1 1/10 is 11/10
    assert equivalent(gold, f"{sign}{whole}{above}/{below}") is glued


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 999), st.integers(1, 998))
def test_repeating_decimals_and_their_roundings(whole, block):
    gold = f"\\frac{{{999 * whole + block}}}{{999}}"
    assert equivalent(gold, f"{whole}.\\overline{{{block:03}}}")
    assert not equivalent(gold, f"{whole}.{block:03}") and not equivalent(gold, f"{whole}.{block:03}{block:03}")


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**9), st.integers(0, 3))
def test_integers_with_zeros_and_separators(number, zeros):
    gold = str(number)
    forms = ["0" * zeros + gold, f"{gold}.0", *(f"{number:,}".replace(",", s) for s in (",", "{,}", r"\,", " "))]
    assert all(equivalent(gold, form) and canonical(form) == gold for form in forms)
    assert not any(equivalent(gold, near) for near in (f"{number + 1}", f"{gold}.5", f"{gold}x", f"-{gold}"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
def test_order_matters_in_tuples_only(values, random):
    shuffled = values[:]
    random.shuffle(shuffled)
    one, other = ", ".join(map(str, values)), ", ".join(map(str, shuffled))
    assert equivalent(one, other) and equivalent(f"\\{{{one}\\}}", other) and canonical(one) == canonical(other)
    assert equivalent(f"({one})", f"({other})") is (values == shuffled)
    assert not equivalent(one, ", ".join(map(str, values[1:])))
    assert not equivalent(f"({one})", one) and not equivalent(f"({one})", f"\\{{{one}\\}}")


@settings(max_examples=60, deadline=None)
@given(st.integers(-50, 50), st.integers(1, 50), st.sampled_from("(["), st.sampled_from(")]"))
def test_brackets_of_intervals_matter(low, width, left, right):
    high = low + width
    gold = f"{left}{low},{high}{right}"
    assert equivalent(gold, f"\\left{left} {low}, {high}.0 \\right{right}")
    others = [(a, b) for a in "([" for b in ")]" if (a, b) != (left, right)]
    assert not any(equivalent(gold, f"{a}{low},{high}{b}") for a, b in others)
    assert not equivalent(gold, f"{left}{low},{high + 1}{right}") and not equivalent(gold, f"{low},{high}")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=4), st.randoms(use_true_random=False))
def test_terms_in_any_order(coefficients, random):
    terms = [f"{c}x^{power}" for power, c in enumerate(coefficients, 1)]
    shuffled = terms[:]
    random.shuffle(shuffled)
    assert equivalent(" + ".join(terms), "+".join(shuffled))
    assert not equivalent(" + ".join(terms), "+".join(shuffled) + "+1")


def _load(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not here (set TTSLIB_SHARED_DATA)")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_math500_solutions_give_their_answers():
    rows = _load("math500.jsonl")
    right = [equivalent(row["answer"], extract_answer(row["solution"])) for row in rows]
    assert sum(right) >= 499


def test_labelled_cases():
    scored = wrong = accepted = 0
    for row in _load("grader_dev.jsonl"):
        bare = row["kind"] == "equal"
        verdict = equivalent(row["gold"], row["prediction"] if bare else extract_answer(row["prediction"]))
        if not row.get("disputed"):
            scored += 1
            wrong += verdict != row["expected"]
            accepted += verdict and not row["expected"]
    assert wrong <= 0.015 * scored and accepted <= 1
