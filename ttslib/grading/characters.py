"""Unicode in an answer, spelled as the LaTeX or ASCII that it stands for."""

import re
import unicodedata

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n")
_COMMANDS = {
    "×": "times", "·": "cdot", "⋅": "cdot", "∙": "cdot", "÷": "div", "∞": "infty", "∪": "cup", "∩": "cap", "∈": "in",
    "≤": "leq", "⩽": "leq", "≥": "geq", "⩾": "geq", "≠": "neq", "±": "pm", "∓": "mp", "≈": "approx", "≡": "equiv",
    "∅": "emptyset", "∖": "setminus", "∠": "angle", "→": "to", "⇒": "Rightarrow", "⟨": "langle", "⟩": "rangle",
    "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "…": "ldots", "∧": "land", "∨": "lor", "∑": "sum",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda", "μ": "mu",
    "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi", "ψ": "psi", "ω": "omega", "Δ": "Delta",
    "Γ": "Gamma", "Σ": "Sigma", "Ω": "Omega",
}  # fmt: skip
_SPELLED = {
    **{char: f"\\{command} " for char, command in _COMMANDS.items()},
    "°": r"^\circ ", "º": r"^\circ ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℕ": r"\mathbb{N}",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "′": "'", "″": "''", "’": "'", "⁄": "/", "∕": "/", "“": "",
    "”": "", "¢": r"\text{ cents}", "，": ",", "：": ":", "；": ";", "（": "(", "）": ")",
}  # fmt: skip


def plain(text: str) -> str:
    """The text in ASCII and LaTeX where it has a spelling; symbols without one and control characters are dropped."""
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda m: "^{" + m.group().translate(_RAISED) + "}", text)
    text = re.sub(r"[₀₁₂₃₄₅₆₇₈₉₊₋ₙ]+", lambda m: "_{" + m.group().translate(_LOWERED) + "}", text)
    text = re.sub(r"\d*[¼½¾⅐-⅞]", _vulgar_fraction, text)
    text = "".join(_SPELLED.get(char, char) for char in text)
    text = re.sub(r"√\s*(\d+(?:\.\d+)?|[a-zA-Z]|\\pi)", r"\\sqrt{\1}", text)
    text = re.sub(r"√\s*\(([^()]*)\)", r"\\sqrt{\1}", text).replace("√", r"\sqrt")
    return "".join(map(_character, unicodedata.normalize("NFKC", text)))


def _vulgar_fraction(match: re.Match) -> str:
    whole, sign = match.group()[:-1], match.group()[-1]
    above, _, below = unicodedata.normalize("NFKC", sign).partition("\u2044")
    return f"{whole}\\frac{{{above}}}{{{below}}}"


def _character(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Cc":
        return char if char == "\n" else " "
    return "" if category in ("Cf", "So", "Cs", "Co") else char
