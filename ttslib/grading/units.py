r"""Units behind a value: taken off, and compared where both sides name one that is known."""

import re
from collections import Counter

_NAMES = """
mm millimeter millimetre, cm centimeter centimetre, m meter metre, km kilometer kilometre, in inch inches,
ft foot feet, yd yard, mi mile, s sec second, min minute, h hr hour, day, week wk, month, year yr, mg milligram,
g gram, kg kilogram, lb lbs pound, oz ounce, ml milliliter millilitre, l liter litre, gal gallon, cent, dollar usd,
euro eur, gbp, pint, quart, cup, ton tonne, %, deg
"""
_CANON = {word: names.split()[0] for names in _NAMES.split(",") for word in names.split()}
_DERIVED = dict(
    newton="N", joule="J", watt="W", pascal="Pa", hertz="Hz", volt="V", ampere="A", amp="A", kelvin="K", coulomb="C",
    mole="mol", ohm="Omega", farad="F", tesla="T", electronvolt="eV", byte="B", calorie="cal", radian="rad",
)  # fmt: skip
_PREFIXES = dict(nano="n", micro="u", milli="m", centi="c", kilo="k", mega="M", giga="G")
_SYMBOL = re.compile(rf"[{''.join(_PREFIXES.values())}]?(?:{'|'.join(_DERIVED.values())})")
_SPELLED = re.compile(rf"({'|'.join(_PREFIXES)})?({'|'.join(_DERIVED)})(?:e?s)?")
_SPEEDS = {"mph": "mi/h", "kph": "km/h", "kmh": "km/h", "mps": "m/s", "fps": "ft/s"}
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "squared": 2, "cubed": 3}
_PERCENT = re.compile(
    r"(?:\\?%|(?<![a-zA-Z])(?:percent|pct|percentage)(?: points?)?\.?|\\text\{\s*(?:\\?%|percent(?:age)?)\s*\})\s*$",
    re.I,
)
_DEGREES = re.compile(
    r"(?:\^\\circ ?(?:C|F|\\text\{\s*[CF]\s*\})?|\\text\{\s*degrees?\s*\}|(?<![a-zA-Z\\])degrees?)\s*$", re.I
)
_MODULUS = re.compile(r"\\pmod ?\{? ?(\w+) ?\}?$|\( ?(?:\\text\{mod\}|mod) ?(\w+) ?\)$")
_TEXT = re.compile(r"\\text\{([^{}]*)\}\s*(\^\s*\{-?\d\})?((?:\s*/\s*\\text\{[^{}]*\}(?:\s*\^\s*\{\d\})?)?)\s*$")
_WORD = r"[a-zA-Z]+\.?(?: ?\^ ?\{[23]\})?"
_BARE = re.compile(rf"(?<=[\d\s)}}])((?:{_WORD}[ /]+){{0,4}}{_WORD})\s*$")
# Words behind a number that make it another number, a condition or a time of day ...
_CHANGING_WORDS = """
mod modulo and or for if where when not to over choose times plus minus more less squared cubed factorial base half
halves third thirds fourth fourths quarter quarters fifth fifths sixth sixths eighth eighths tenth tenths hundredth
hundredths thousandth thousandths hundred thousand million billion trillion dozen am pm
"""
# ... and others that are no units.
_OTHER_WORDS = """
sin cos tan cot sec csc log ln exp max pi all any is are no none undefined infinity with lambda return import sqrt a p
"""
_CHANGING = frozenset(_CHANGING_WORDS.split())
_NO_UNIT = _CHANGING | frozenset(_OTHER_WORDS.split())
# Units and words beside them that are shorter than other words may be.
_SHORT = {"cm", "km", "mm", "kg", "mg", "ft", "yd", "mi", "hr", "lb", "oz", "ml", "in", "of", "sq", "cu"}
_PLURAL = re.compile(r"(?<=.[sxz])es$|(?<=..[^s])s$")
_FILLING = {"a", "an", "the", "of", "different", "distinct", "possible", "total", "in", "unit", "answer"}


def split_unit(text: str) -> tuple[str, str]:
    """(value, unit) of "5.4 cents", "10 cm^2", "28 percent"; (text, "") where nothing is a unit.

    Percent and degree signs count as units and are named "%" and "deg", a modulus is named "mod 7".
    """
    text = text.strip()
    for pattern, name in ((_PERCENT, "%"), (_DEGREES, "deg")):
        if (match := pattern.search(text)) and _value_like(text[: match.start()]):
            return text[: match.start()].strip(), name
    if (match := _MODULUS.search(text)) and match.start():
        return text[: match.start()].strip(), f"mod {match[1] or match[2]}"
    if (match := _TEXT.search(text)) and match.start():
        return _split_text_unit(text, match)
    if (match := _BARE.search(text)) and _value_like(text[: match.start()]):
        words = re.findall(r"[a-zA-Z]+", match[1])
        measured = known_unit(match[1]) is not None and (len(words) > 1 or len(words[0]) > 1)
        spaced = text[match.start() - 1] == " "
        if measured or all(_is_unit(word, spaced) for word in words):
            return text[: match.start()].strip(), match[1].strip()
    return text, ""


def _split_text_unit(text: str, match: re.Match) -> tuple[str, str]:
    body = text[: match.start()].strip()
    unit = re.sub(r"\\text\{([^{}]*)\}", r"\1", match.group()).strip()
    words = set(re.findall(r"[a-z]+", unit.lower()))
    if words & _CHANGING or unit.lower().rstrip(".") in ("a.m", "p.m"):
        return text, ""
    # Behind a formula only a unit that is known: "n \text{ is odd}" is no n.
    if _value_like(body) or (known_unit(unit) and re.search(r"[\w})]$", body) and not re.search(r"\\text|[<>=]", body)):
        return body, unit or "-"
    return text, ""


def _is_unit(word: str, spaced: bool) -> bool:
    word = word.lower()
    if spaced:
        unit = len(word) >= 3 or word in _SHORT
    else:  # "10weeks", but not the product 3abc
        unit = len(word) > 4 or (len(word) > 1 and known_unit(word) is not None)
    return unit and word not in _NO_UNIT


def _value_like(text: str) -> bool:
    text = re.sub(r"\\(?:frac|sqrt|pi|times|cdot|overline|infty)(?![a-zA-Z])", "", text)
    text = re.sub(r",(?=\d)", "", text)
    return bool(re.search(r"\d", text)) and not re.search(r"[a-zA-Z=<>,]\s*$|[a-zA-Z]{2,}|[<>]", text)


def units_clash(a: str, b: str) -> bool:
    """Whether both sides say what they count and do not mean the same (feet against inches, red against blue)."""
    known_a, known_b = known_unit(a), known_unit(b)
    if not a or not b or a == b or (known_a is not None and known_a == known_b):
        return False
    one, other = set(counted(a)), set(counted(b))
    return (known_a is not None and known_b is not None) or not (one <= other or other <= one)


def counted(unit: str) -> list[str]:
    """The words that say what is counted, in the singular."""
    words = (_PLURAL.sub("", word) for word in re.findall(r"[a-z]+|%", unit.lower()))
    return [word for word in words if word not in _FILLING]


def known_unit(unit: str) -> str | None:
    """The one name of a unit all of whose words are known: "square feet" is "ft^2", "mph" is "mi/h"; else None."""
    if unit.startswith("mod "):
        return unit
    powers: Counter[str] = Counter()
    sign, power, last = 1, 1, ""
    for written in re.findall(r"[a-zA-Z]+|%|/|\^\s*\{?-?[123]", _SPEEDS.get(unit.strip().lower(), unit)):
        token = written.lower()
        if token in ("/", "per"):
            sign = -1
        elif token[0] == "^" or token in ("squared", "cubed"):
            powers[last] *= _POWERS.get(token) or int(token.lstrip("^{ "))
        elif token in _POWERS:
            power = _POWERS[token]
        else:
            last = _CANON.get(token) or _CANON.get(token.removesuffix("s")) or _derived(written)
            powers[last] += sign * power
            power = 1
    if "" in powers:
        return None
    named = sorted(powers.items(), key=lambda item: (-item[1], item[0]))
    spelled = [(name if abs(power) == 1 else f"{name}^{abs(power)}", power) for name, power in named]
    above, below = (" ".join(name for name, power in spelled if power * side > 0) for side in (1, -1))
    return (f"{above}/{below}" if below else above) or None


def _derived(written: str) -> str:
    """The symbol of a derived unit of the SI, in which capitals count; "" for anything else."""
    if _SYMBOL.fullmatch(written):
        return written
    match = _SPELLED.fullmatch(written.lower())
    return _PREFIXES.get(match[1] or "", "") + _DERIVED[match[2]] if match else ""
