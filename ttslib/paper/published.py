"""What the paper printed and claims, with where each number was read.

Accuracies, F1 and gains are in percent, as printed; FLOPs, tokens and parameters in plain numbers. The PDF itself could
not be read. Sources: IMG, the images in the authors' repository; TBL, the six tables of the arXiv HTML, transcribed
alike by two independent note repositories; CAP, captions there; ISS#n, the authors' answers in issue n of their
repository; PB, the ProcessBench paper (arXiv 2412.06559, Table 3) and the PRM lessons (arXiv 2501.07301, Table 7); SC,
RV and KB, published summaries, and SC-long a longer one that is less to be trusted; DER, arithmetic with such numbers.
What could be had from none of them: the curves of Figures 4, 5 and 7 to 11, the points of Figure 6, the bars of Figure
3 but one. They can be compared with `paper.claims` only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Printed:
    """A table or figure as printed. Called, it is a pandas data frame with `source` and `note` in its `attrs`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: str
    note: str = ""

    def __call__(self) -> pandas.DataFrame:
        import pandas

        frame = pandas.DataFrame(list(self.rows), columns=list(self.columns))
        frame.attrs |= {"source": self.source, "note": self.note}
        return frame


fig1 = Printed(
    ("panel", "benchmark", "model", "tts", "accuracy"),
    (
        ("a", "MATH-500", "Llama-3.2-3B", True, 78.2),
        ("a", "MATH-500", "GPT-4o", False, 74.6),
        ("a", "MATH-500", "Llama-3.1-405B", False, 71.4),
        ("b", "MATH-500", "R1-Distill-Qwen-1.5B", True, 91.6),
        ("b", "MATH-500", "o1-mini", False, 90.0),
        ("b", "MATH-500", "o1-preview", False, 85.5),
        ("c", "MATH-500", "DeepSeek-R1", False, 97.3),
        ("c", "MATH-500", "R1-Distill-Qwen-7B", True, 95.2),
        ("c", "MATH-500", "o1", False, 94.8),
        ("d", "AIME24", "Llama-3.2-3B", True, 30.0),
        ("d", "AIME24", "Llama-3.1-405B", False, 23.3),
        ("d", "AIME24", "GPT-4o", False, 9.3),
        ("e", "AIME24", "o1-mini", False, 63.6),
        ("e", "AIME24", "R1-Distill-Qwen-1.5B", True, 63.3),
        ("e", "AIME24", "o1-preview", False, 44.6),
        ("f", "AIME24", "R1-Distill-Qwen-7B", True, 83.3),
        ("f", "AIME24", "DeepSeek-R1", False, 79.8),
        ("f", "AIME24", "o1", False, 79.2),
    ),
    source="IMG",
    note="Llama-3.2-3B has 78.2 on MATH-500 here and in Table 5, but 75.6 in Table 3.",
)

table1 = Printed(
    ("prm", "data", "tokens_per_response", "tokens_per_step"),
    (
        ("RLHFlow-PRM-Mistral-8B", "Mistral-PRM-Data", 236.9, 46.6),
        ("RLHFlow-PRM-Deepseek-8B", "Deepseek-PRM-Data", 333.1, 58.4),
    ),
    source="TBL",
    note="The tokenizer and the number of rows counted are not stated.",
)

table2 = Printed(
    ("vote", "Skywork-PRM-7B", "Qwen2.5-Math-PRM-7B"),
    (
        ("majority_vote", 86.8, 87.6),
        ("prm_min_max", 83.0, 87.4),
        ("prm_min_vote", 86.6, 87.6),
        ("prm_last_max", 84.4, 87.6),
        ("prm_last_vote", 87.0, 87.6),
        ("prm_avg_max", 85.8, 87.8),
        ("prm_avg_vote", 86.8, 87.6),
    ),
    source="TBL",
    note="Method and N are not stated, and the policy, Qwen2.5-7B, only by SC-long. The majority differs between the "
    "PRMs and lies above the 83.6 of plain samples, so the paths come from a search guided by the PRM.",
)

table3 = Printed(
    ("group", "model", "n", "MATH-500", "AIME24", "average"),
    (
        ("proprietary", "GPT-4o", None, 74.6, 9.3, 42.0),
        ("proprietary", "o1-preview", None, 85.5, 44.6, 65.1),
        ("proprietary", "o1-mini", None, 90.0, 63.6, 76.8),
        ("proprietary", "o1", None, 94.8, 79.2, 87.0),
        ("open", "Llama-3.1-70B", None, 65.2, 16.7, 41.0),
        ("open", "Llama-3.1-405B", None, 71.4, 23.3, 47.4),
        ("open", "QwQ-32B-Preview", None, 90.6, 50.0, 70.3),
        ("open", "DeepSeek-R1", None, 97.3, 79.8, 88.6),
        ("tts", "Llama-3.2-1B", None, 66.2, 16.7, 41.5),
        ("tts", "Llama-3.2-1B", 512, 72.2, 10.0, 41.1),
        ("tts", "Llama-3.2-3B", None, 75.6, 30.0, 52.8),
        ("tts", "Qwen2.5-0.5B", None, 76.4, 10.0, 43.2),
        ("tts", "Qwen2.5-1.5B", None, 81.8, 20.0, 50.9),
        ("tts", "R1-Distill-Qwen-1.5B", None, 91.6, 63.3, 77.5),
        ("tts", "R1-Distill-Qwen-7B", None, 95.2, 83.3, 89.3),
    ),
    source="IMG, TBL",
    note="All but the group tts is chain of thought. PRM, method and voting of each TTS row are not stated, nor N "
    "where it is missing; 75.6 and 81.8 differ from Table 5's 78.2 and 85.6. Footnote: Qwen2.5-32B extracted answers "
    "of Llama-3.2-1B, whose outputs often have no box; for which of its rows is unclear.",
)

table4 = Printed(
    ("model", "pretraining_flops", "inference_flops", "total_flops", "parameters", "training_tokens",
     "tokens_per_problem"),
    (
        ("Llama-3.2-3B", 1.62e23, 3.07e17, 1.62e23, 3e9, 9e12, 102_300),
        ("Llama-3.1-405B", 3.65e25, 4.25e17, 3.65e25, 405e9, 15e12, 1_050),
        ("R1-Distill-Qwen-7B", 7.56e23, 8.15e17, 7.56e23, 7e9, 18e12, 116_400),
        ("DeepSeek-R1", 5.96e25, 4.03e18, 5.96e25, 671e9, 14.8e12, 6_000),
    ),
    source="IMG, TBL; parameters, training_tokens and tokens_per_problem DER",
    note="The last three columns reproduce the printed ones as 6 x parameters x training tokens and 2 x parameters x "
    "tokens of 500 problems. FLOPs of the PRM and of R1-Distill's teacher are not counted, and DeepSeek-R1 counts by "
    "all its parameters, not by those that a token meets.",
)  # fmt: skip

table5 = Printed(
    ("policy", "cot", "majority", "tts", "gain", "efficiency", "efficiency_is_bound"),
    (
        ("Llama-3.2-1B", 26.0, 39.0, 66.2, 154.6, 256.0, True),
        ("Llama-3.2-3B", 41.4, 58.4, 78.2, 88.9, 14.1, False),
        ("Llama-3.1-8B", 49.8, 66.4, 80.6, 61.8, 43.9, False),
        ("Qwen2.5-0.5B", 31.6, 47.2, 76.4, 141.8, 64.0, True),
        ("Qwen2.5-1.5B", 54.4, 68.4, 85.6, 57.4, 256.0, True),
        ("Qwen2.5-3B", 64.0, 77.0, 87.6, 36.9, 58.4, False),
        ("Qwen2.5-7B", 76.8, 83.6, 91.0, 18.5, 35.9, False),
        ("Qwen2.5-14B", 80.2, 85.6, 91.0, 13.5, 51.4, False),
        ("Qwen2.5-32B", 82.4, 87.0, 90.6, 10.0, 0.8, False),
        ("Qwen2.5-72B", 83.8, 87.2, 91.8, 9.5, 12.9, False),
    ),
    source="IMG, TBL; meaning of the efficiency ISS#11",
    note="MATH-500. gain = (tts - cot) / cot. efficiency = the budget at the highest point of the majority curve over "
    "the budget at which the compute-optimal curve, linear between budgets, reaches that accuracy; a bound is printed "
    "with '>'. Budgets from 4 to 256 allow a bound of 64 at most: '> 256' is unexplained. The PRM is that of Table 6 "
    "for Qwen2.5-7B, for the others it is not stated.",
)

table6 = Printed(
    ("policy", "how", "prm", "MATH-500", "AIME24", "average"),
    (
        ("Qwen2.5-7B", "cot", None, 76.8, 13.3, 45.1),
        ("Qwen2.5-Math-7B", "cot", None, 79.8, 13.3, 46.6),
        ("rStar-Math-7B", "long cot", None, 78.4, 26.7, 52.6),
        ("Eurus-2-7B-PRIME", "long cot", None, 79.2, 26.7, 53.0),
        ("Qwen2.5-7B-SimpleRL-Zero", "long cot", None, 77.2, 33.3, 55.3),
        ("Qwen2.5-7B-SimpleRL", "long cot", None, 82.4, 26.7, 54.6),
        ("Satori-Qwen-7B", "long cot", None, 83.6, 23.3, 53.5),
        ("R1-Distill-Qwen-7B", "long cot", None, 92.4, 63.3, 77.9),
        ("Qwen2.5-7B", "tts", "Qwen2.5-Math-PRM-7B", 88.0, 33.3, 60.5),
        ("Qwen2.5-7B", "tts", "Qwen2.5-Math-PRM-72B", 91.0, 36.7, 63.9),
    ),
    source="IMG, TBL",
)

processbench_f1 = Printed(
    ("prm", "GSM8K", "MATH", "OlympiadBench", "Omni-MATH", "average"),
    (
        ("Math-Shepherd-PRM-7B", 47.9, 29.5, 24.8, 23.8, 31.5),
        ("RLHFlow-PRM-Mistral-8B", 50.4, 33.4, 13.8, 15.8, 28.4),
        ("RLHFlow-PRM-Deepseek-8B", 38.8, 33.8, 16.9, 16.9, 26.6),
        ("Skywork-PRM-1.5B", 59.0, 48.0, 19.3, 19.2, 36.4),
        ("Skywork-PRM-7B", 70.8, 53.6, 22.9, 21.0, 42.1),
        ("Qwen2.5-Math-PRM-7B", 82.4, 77.6, 67.5, 66.3, 73.5),
        ("Qwen2.5-Math-PRM-72B", 87.3, 80.6, 74.3, 71.1, 78.3),
    ),
    source="PB",
    note="F1 of finding the first wrong step.",
)
MATH_F1: dict[str, float] = {prm: on_math for prm, _, on_math, *_ in processbench_f1.rows}
"""PRM -> its F1 on the MATH subset of ProcessBench, in percent."""


@dataclass(frozen=True)
class Fit:
    """accuracy = slope x log(F1) + intercept, both in percent."""

    slope: float
    intercept: float
    source: str
    note: str

    def __call__(self, f1: float) -> float:
        """The fitted accuracy at an F1, with the natural logarithm."""
        return self.slope * math.log(f1) + self.intercept


fig6 = Fit(
    7.66, 44.31, source="SC, KB; the natural logarithm DER",
    note="The base is not stated: base 10 would give 55.6 to 58.9, far below both policies. Neither are the subset "
    "behind F1, nor the policy, method and N behind the accuracy.",
)  # fmt: skip

ABOVE_80 = 76.2
"""Figure 3: percent of the problems of MATH-500 with a Pass@1 of Qwen2.5-72B above 80 % (SC, KB, CAP)."""

fig12 = Printed(
    ("prm", "answer", "right", "tokens"),
    (("RLHFlow-PRM-Mistral-8B", "660", False, 900), ("RLHFlow-PRM-Deepseek-8B", "2220", True, 2400)),
    source="SC; tokens are approximate",
    note="MATH-500, test/number_theory/1032.json, row 10 from 0: the least positive multiple of 30 that is written "
    "with the digits 0 and 2 only. Beam search; the policy and N are not stated.",
)

prm_cases = Printed(
    ("figure", "kind", "meaning", "benchmark", "row", "problem", "scores"),
    (
        (13, "over-criticism", "a right step gets a low score", "MATH-500", 31, "prealgebra/1302", (0.53, 0.46)),
        (14, "error neglect", "a wrong step gets a high score", "MATH-500", 14, "precalculus/1303", (0.74,)),
        (15, "error neglect", "a wrong step gets a high score", "MATH-500", 14, "precalculus/1303",
         (0.99, 0.90, 0.97, 0.99, 0.99)),
        (16, "error localisation bias", "the low score is at the wrong place", "AIME24", 9, "I-10", (0.20, 0.66, 0.92)),
        (17, "scoring bias", "the score depends on the length of the step", "MATH-500", 50, "number_theory/1055",
         (0.51, 0.12)),
        (18, "scoring bias", "the score depends on the length of the step", "MATH-500", 50, "number_theory/1055",
         (0.68, 0.12)),
    ),
    source="kinds CAP, scores SC-long",
    note="Which policy and PRM made each case is not stated, and the full steps are not to be had. The row of AIME24 "
    "counts from 0 in the order AIME I, then II.",
)  # fmt: skip
