"""Solves NanoMATH and NanoAIME questions from their text alone; shares no code with the generator that wrote them."""

import math
import re

UNDO = {"+": "-", "-": "+", "*": "/", "/": "*"}
SIZES = {("feet", "inches"): 12, ("weeks", "days"): 7, ("yards", "feet"): 3, ("gallons", "quarts"): 4,
         ("dimes", "cents"): 10}


def solve(question: str) -> tuple[list[str], str]:
    """The facts of the worked solution and the answer; ValueError for a question of no known form."""
    for pattern, solver in FORMS.items():
        if found := re.fullmatch(pattern, question):
            return solver(*(group for group in found.groups() if group is not None))
    raise ValueError(f"No known form: {question}")


def aime(question: str):
    facts, answer = solve(question)
    m, n = numbers(answer)
    return [*facts, f"10*{m}+{n}={10 * m + n}"], str(10 * m + n)


def arithmetic(start: str, told: str):
    value, facts = int(start), []
    signs = {"add": "+", "take away": "-", "multiply by": "*", "divide by": "/"}
    for words, number in re.findall(r"([a-z ]+) (\d+)", told):
        value = said(facts, value, signs[words.strip()], int(number))
    return facts, str(value)


def equations(term: str, right: str):
    value, facts = int(right), []
    for sign, number in around_x(term):
        value = said(facts, value, UNDO[sign], number)
    return facts, str(value)


def intervals(low: str, left: str, term: str, right: str, high: str):
    low, high, facts = int(low), int(high), []
    for sign, number in around_x(term):
        ends = []
        low, high = said(ends, low, UNDO[sign], number), said(ends, high, UNDO[sign], number)
        facts.append(", ".join(ends))
    return facts, f"{'(' if left == '<' else '['}{low}, {high}{')' if right == '<' else ']'}"


def fractions(text: str):
    terms = re.findall(r"([+-]?) ?\\frac\{(\d+)\}\{(\d+)\}", text)
    value, whole, facts = int(terms[0][1]), int(terms[0][2]), []
    for sign, number, _ in terms[1:]:
        value = said(facts, value, sign, int(number))
    facts.append(lowest(value, whole))
    return facts, facts[-1].split("=")[1]


def geometry(x: str, y: str, told: str):
    place, facts = [int(x), int(y)], []
    for move in told.split(", "):
        if move == "reflect it in y = x":
            place.reverse()
            facts.append(f"reflect ({place[0]}, {place[1]})")
            continue
        way, number = move.removeprefix("move it ").split()
        axis, sums = int(way in ("up", "down")), []
        place[axis] = said(sums, place[axis], "+" if way in ("right", "up") else "-", int(number))
        facts.append(f"{sums[0]}, ({place[0]}, {place[1]})")
    return facts, f"({place[0]}, {place[1]})"


def radicals(text: str):
    terms = [(term, *re.fullmatch(r"(\d*)\\sqrt\{(\d+)\}", term).groups()) for term in text.split(" + ")]
    total, facts = 0, []
    for term, factor, under in terms:
        root = max(r for r in range(1, 100) if int(under) % (r * r) == 0)
        kernel, part = int(under) // root**2, int(factor or 1) * root
        sums = [f"{term}={part}\\sqrt{{{kernel}}}"]
        total = said(sums, total, "+", part) if total else part
        facts.append(", ".join(sums))
    return facts, f"{total}\\sqrt{{{kernel}}}"


def expressions(text: str):
    slope, constant, facts = 0, 0, []
    for factor, shift in re.findall(r"(\d+)\(x \+ (\d+)\)", text):
        part = f"{factor}x + {int(factor) * int(shift)}"
        slope, constant = slope + int(factor), constant + int(factor) * int(shift)
        facts.append(f"{part}, {slope}x + {constant}" if facts else part)
    return facts, f"{slope}x + {constant}"


def remainders(text: str, modulus: str):
    value, facts, m = None, [], int(modulus)
    for number in numbers(text):
        small = number % m
        fact = f"{number} mod {m}={small}"
        if value is not None:
            fact += f", {value}+{small}={value + small}, mod {(value + small) % m}"
        value = small if value is None else (value + small) % m
        facts.append(fact)
    return facts, str(value)


def decimals(text: str):
    first, *terms = re.findall(r"([+-]?) ?(\d+\.\d)", text)
    value, facts = first[1], []
    for sign, number in terms:
        tenths = do(int(value.replace(".", "")), sign, int(number.replace(".", "")))
        result = f"{tenths // 10}.{tenths % 10}"
        facts.append(f"{value}{sign}{number}={result}")
        value = result
    return facts, value


def sets(start: str, told: str):
    members, facts = set(numbers(start)), []
    for words, other in re.findall(r"([a-z ]+) \\\{([\d, ]+)\\\}", told):
        other = set(numbers(other))
        members = {"join": members | other, "keep": members & other, "remove": members - other}[words.split()[0]]
        facts.append("\\{" + ", ".join(map(str, sorted(members))) + "\\}")
    return facts, facts[-1]


def percents(start: str, told: str, whole: str):
    value, facts = int(start), []
    for words, number in re.findall(r"(gains|loses) (\d+)", told):
        value = said(facts, value, "+" if words == "gains" else "-", int(number))
    answer = f"{100 * value // int(whole)}\\%"
    return [*facts, f"{value}/{whole}={answer}"], answer


def probability(bag: str, wanted: str):
    balls = [(int(count), colour) for count, colour in re.findall(r"(\d+) (\w+)", bag)]
    colours = wanted.split(" or ")
    total, facts = balls[0][0], []
    for count, colour in balls[1:]:
        total = said(facts, total, "+", count)
        if colour == colours[-1]:
            facts[-1] += ", wanted"
    facts.append(lowest(sum(count for count, colour in balls if colour in colours), total))
    return facts, facts[-1].split("=")[1]


def units(small: str, text: str):
    total, facts = 0, []
    for whole, large, rest in re.findall(r"(\d+) (\w+) (\d+)", text):
        size, sums = SIZES[large, small], []
        amount = said(sums, said(sums, int(whole), "*", size), "+", int(rest))
        total = said(sums, total, "+", amount) if total else amount
        facts.append(", ".join(sums))
    return facts, f"{total} \\text{{ {small}}}"


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def do(a: int, sign: str, b: int) -> int:
    if sign == "/":
        assert a % b == 0
        return a // b
    return {"+": a + b, "-": a - b, "*": a * b}[sign]


def said(facts: list[str], a: int, sign: str, b: int) -> int:
    """The result, which is also told in `facts`."""
    result = do(a, sign, b)
    facts.append(f"{a}{sign}{b}={result}")
    return result


def lowest(part: int, whole: int) -> str:
    shared = math.gcd(part, whole)
    top, bottom = part // shared, whole // shared
    return f"\\frac{{{part}}}{{{whole}}}=" + (str(top) if bottom == 1 else f"\\frac{{{top}}}{{{bottom}}}")


def around_x(term: str) -> list[tuple[str, int]]:
    """The operations around x, outermost first."""
    found = []
    while term != "x":
        last = re.fullmatch(r"(.+) ([-+/]) (\d+)", term)
        number, inner = (last[3], last[1]) if last else re.fullmatch(r"(\d+)(.+)", term).groups()
        sign = last[2] if last else "*"
        found.append((sign, int(number)))
        term = inner[1:-1] if sign in "*/" and inner != "x" else inner
    return found


FORMS = {
    r"(.+) It is .+: find 10m \+ n\.": aime,
    r"(?:Start with|Take) (\d+), then (.+)\. (?:What is the result\?|Find the value\.)": arithmetic,
    r"Solve (.+) = (\d+) for x\.|Find x if (.+) = (\d+)\.": equations,
    r"(?:Solve|Find all x with) (\d+) (<|\\le) (.+) (<|\\le) (\d+)(?:\. Give the| as an) interval\.": intervals,
    r"(?:Compute|Evaluate) (.+?)(?: in lowest terms)?\.": fractions,
    r"(?:A point is at|Begin at) \((\d+), (\d+)\)(?:\. Now|:) (.+)\. (?:Where is it\?|Give the point\.)": geometry,
    r"Simplify (.+)\.|Write (.+) as one radical\.": radicals,
    r"Expand and simplify (.+)\.|Write (.+) without brackets\.": expressions,
    r"Find the remainder of (.+) divided by (\d+)\.|What is (.+) modulo (\d+)\?": remainders,
    r"Work out (.+)\.|What is (.+) as a decimal\?": decimals,
    r"(?:Take|From) (\\\{[\d, ]+\\\}), (.+)\. (?:Which set is left\?|Give the set\.)": sets,
    r"Ann has (\d+) \w+, then (.+)\. What percent of (\d+) is that\?": percents,
    r"Of (\d+) \w+, Ben (.+)\. Give what he has as a percentage of (\d+)\.": percents,
    r"A bag holds (.+) balls\. How likely is (.+)\?|From (.+) balls, find the probability of (.+)\.": probability,
    r"How many (\w+) are (.+)\?|Give in (\w+): (.+)\.": units,
}
