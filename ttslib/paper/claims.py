"""What the paper claims, and the tests of each claim: what is estimated and from which value on it holds.

The thresholds were set from the paper's words before its experiments were run here; those on failures of PRMs after a
first look at twelve labelled solutions. Sources as in `published`. "Search" is
beam search and DVTS, the mean of both; "good PRMs" are Skywork-PRM-7B and both Qwen2.5-Math PRMs, as the paper groups
them. Accuracies are compared at the largest budget unless a test says otherwise, on the same problems.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

QUESTIONS = {
    "Q1": "How does test-time scaling change with policy, PRM and method?",
    "Q2": "How does it change with the difficulty of the problem?",
    "Q3": "Does the PRM favour some lengths of answer, and how much does the voting rule matter?",
    "Q4": "Can a small policy surpass a large one?",
    "Q5": "How much better is it than chain of thought and majority vote?",
    "Q6": "How does it compare with policies trained for long chains of thought?",
}

POINTS, RATIO, SHARE, RANK = "points", "ratio", "percent", "rank correlation"
"""Units: a difference of accuracies, a quotient, a share, Spearman's coefficient."""


@dataclass(frozen=True)
class Criterion:
    """A test of a claim: what is estimated, and between which values (exclusive) the claim holds.

    Attributes:
        name: of the estimate.
        says: what it is, in words.
        unit: one of those above; differences and shares are in [-1, 1], printed in percent.
        above, below: the thresholds.
    """

    name: str
    says: str
    unit: str = POINTS
    above: float = -math.inf
    below: float = math.inf


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says it found. It holds where all of its tests do.

    Attributes:
        question: a key of `QUESTIONS`.
        text: the claim, in our words.
        evidence: the experiments that the paper shows for it.
        source: where it was read.
        tests: none where nobody here plays the models that it is about.
    """

    question: str
    text: str
    evidence: tuple[str, ...]
    source: str
    tests: tuple[Criterion, ...] = ()


def _more(name: str, says: str) -> Criterion:
    return Criterion(name, says, above=0.0)


CLAIMS = (
    Claim(
        "Q1",
        "Llama-3.1-8B: search with Skywork-PRM-7B and both Qwen2.5-Math PRMs rises steadily with N; with Math-Shepherd "
        "and RLHFlow it stays below the majority vote.",
        ("fig4", "fig5"),
        "SC, RV",
        (
            _more("rise-llama", "Llama-3.1-8B, search with good PRMs, largest N minus smallest"),
            Criterion("weak-llama", "Llama-3.1-8B, search with Math-Shepherd and RLHFlow minus majority", below=0.0),
        ),
    ),
    Claim(
        "Q1",
        "Qwen2.5-7B: search scales well with Skywork-PRM-7B and both Qwen2.5-Math PRMs; the others lag.",
        ("fig4", "fig5"),
        "SC, RV",
        (
            _more("rise-qwen", "Qwen2.5-7B, search with good PRMs, largest N minus smallest"),
            _more("lag-qwen", "Qwen2.5-7B, search with good PRMs minus with the others"),
        ),
    ),
    Claim(
        "Q1",
        "On AIME24 Pass@k rises a lot with N, test-time scaling only a little.",
        ("fig5", "fig11"),
        "SC, RV",
        (_more("aime-rise", "rise of pass@k with N minus rise of search, AIME24"),),
    ),
    Claim(
        "Q1",
        "PRMs generalise poorly to other policies and tasks, so the best method depends on the PRM.",
        ("fig4", "fig5", "fig10", "fig11"),
        "SC, RV",
        (
            _more(
                "reward-aware",
                "method chosen knowing the PRM minus chosen on other PRMs, cross-fitted",
            ),
        ),
    ),
    Claim(
        "Q1",
        "The better a PRM finds wrong steps, the better the test-time scaling with it.",
        ("fig6",),
        "SC, KB",
        (Criterion("prm-quality", "F1 on ProcessBench against accuracy of search, over PRMs", RANK, above=0.0),),
    ),
    Claim(
        "Q1",
        "For small policies search beats Best-of-N; for Qwen2.5-32B and 72B Best-of-N is best.",
        ("fig7",),
        "SC-long",
        (
            _more("small-search", "search minus Best-of-N, Qwen2.5-0.5B to 3B"),
            _more("large-bon", "Best-of-N minus search, Qwen2.5-32B and 72B"),
        ),
    ),
    Claim(
        "Q2",
        "Quantiles of Pass@1 do not tell difficulty apart for a strong policy; absolute thresholds do.",
        ("fig3",),
        "SC, KB, CAP",
        (Criterion("above-80", "problems with Pass@1 above 80 % for the largest policy", SHARE, above=0.5),),
    ),
    Claim(
        "Q2",
        "Policies below 7B: Best-of-N is best on easy problems, beam search on harder ones.",
        ("fig8", "fig9"),
        "SC, RV",
        (
            _more("small-easy", "Best-of-N minus beam search, easy problems"),
            _more("small-hard", "beam search minus Best-of-N, medium and hard problems"),
        ),
    ),
    Claim(
        "Q2",
        "Policies from 7B to 32B: DVTS is best on easy and medium problems, beam search on hard ones.",
        ("fig8", "fig9"),
        "SC, RV",
        (
            _more("middle-easy", "DVTS minus beam search, easy and medium problems"),
            _more("middle-hard", "beam search minus DVTS, hard problems"),
        ),
    ),
    Claim(
        "Q2",
        "Qwen2.5-72B: Best-of-N is best at every level.",
        ("fig9",),
        "SC, RV",
        (_more("largest-bon", "Best-of-N minus search, all problems of Qwen2.5-72B"),),
    ),
    Claim(
        "Q3",
        "The PRM trained on longer data, RLHFlow-PRM-Deepseek-8B, makes a search spend about twice the tokens of "
        "RLHFlow-PRM-Mistral-8B.",
        ("fig12", "table1"),
        "TBL",
        (
            Criterion(
                "rlhflow-tokens", "policy tokens of beam search, Deepseek data over Mistral data", RATIO, above=1.5
            ),
        ),
    ),
    Claim(
        "Q3",
        "Search with Qwen2.5-Math-PRM-7B spends more tokens than with Skywork-PRM-7B at similar accuracy.",
        ("table1", "table2"),
        "TBL",
        (
            Criterion(
                "qwen-tokens", "policy tokens of search, Qwen2.5-Math-PRM-7B over Skywork-PRM-7B", RATIO, above=1.0
            ),
            Criterion(
                "qwen-similar", "accuracy with Qwen2.5-Math-PRM-7B minus Skywork-PRM-7B", above=-0.05, below=0.05
            ),
        ),
    ),
    Claim(
        "Q3",
        "Skywork-PRM-7B prefers PRM-Vote to PRM-Max; with Qwen2.5-Math-PRM-7B the rule hardly matters.",
        ("table2",),
        "TBL",
        (
            _more("skywork-vote", "vote rules minus max rules, search with Skywork-PRM-7B"),
            Criterion(
                "qwen-rules", "vote rules minus max rules, search with Qwen2.5-Math-PRM-7B", above=-0.02, below=0.02
            ),
        ),
    ),
    Claim(
        "Q3",
        "PRMs reject right steps, miss wrong ones, place errors wrongly and score by length, on AIME24 as on MATH.",
        ("fig13_18",),
        "CAP",
        (
            Criterion("over-criticism", "right steps scored below 0.3, mean over PRMs", SHARE, above=0.01),
            Criterion("error-neglect", "first wrong steps scored above 0.7, mean over PRMs", SHARE, above=0.01),
            Criterion(
                "error-place",
                "wrong solutions scored lowest before the first wrong step, mean over PRMs",
                SHARE,
                above=0.01,
            ),
            Criterion(
                "length-bias",
                "right solutions scored differently by 0.4 in longer steps, mean over PRMs",
                SHARE,
                above=0.01,
            ),
        ),
    ),
    Claim(
        "Q4",
        "Llama-3.2-1B with N = 512 surpasses Llama-3.1-405B on MATH-500 (on AIME24 it does not).",
        ("table3",),
        "IMG, TBL",
        (
            _more("1b-405b-math", "Llama-3.2-1B with twice the largest N minus Llama-3.1-405B, MATH-500"),
            Criterion("1b-405b-aime", "Llama-3.2-1B with twice the largest N minus Llama-3.1-405B, AIME24", below=0.0),
        ),
    ),
    Claim(
        "Q4",
        "Llama-3.2-3B surpasses Llama-3.1-405B on both benchmarks, 135 times its size.",
        ("fig1", "table3"),
        "IMG, TBL",
        (
            _more("3b-405b-math", "Llama-3.2-3B minus Llama-3.1-405B, MATH-500"),
            _more("3b-405b-aime", "Llama-3.2-3B minus Llama-3.1-405B, AIME24"),
        ),
    ),
    Claim(
        "Q4",
        "Qwen2.5-0.5B and Llama-3.2-3B surpass GPT-4o.",
        ("fig1", "table3"),
        "IMG, TBL",
        (
            _more("half-gpt4o-math", "Qwen2.5-0.5B minus GPT-4o, MATH-500"),
            _more("3b-gpt4o-math", "Llama-3.2-3B minus GPT-4o, MATH-500"),
            _more("3b-gpt4o-aime", "Llama-3.2-3B minus GPT-4o, AIME24"),
        ),
    ),
    Claim(
        "Q4",
        "R1-Distill-Qwen-1.5B surpasses o1-preview and comes close to o1-mini.",
        ("fig1", "table3"),
        "IMG, TBL",
    ),
    Claim(
        "Q4",
        "R1-Distill-Qwen-7B surpasses o1 on both benchmarks and DeepSeek-R1 on AIME24 (on MATH-500 it does not).",
        ("fig1", "table3"),
        "IMG, TBL",
    ),
    Claim(
        "Q4",
        "A small policy does this with a hundredth to a thousandth of the FLOPs (225 and 79 times less by the table).",
        ("table4",),
        "IMG, TBL; ratios DER",
        (
            Criterion(
                "flops-llama", "printed total FLOPs, Llama-3.1-405B over Llama-3.2-3B", RATIO, above=100, below=1000
            ),
            Criterion(
                "flops-r1", "printed total FLOPs, DeepSeek-R1 over R1-Distill-Qwen-7B", RATIO, above=100, below=1000
            ),
        ),
    ),
    Claim(
        "Q5",
        "Test-time scaling gains up to 154.6 % over chain of thought, less the larger the policy.",
        ("table5",),
        "IMG, TBL",
        (
            _more("gain", "TTS minus CoT, mean over policies"),
            Criterion("gain-size", "size of the policy against its gain, over policies", RANK, below=0.0),
        ),
    ),
    Claim(
        "Q5",
        "It is up to 256 times as efficient as majority vote.",
        ("table5",),
        "IMG, TBL",
        (_more("efficiency", "TTS at the smallest N minus majority at the largest, mean over policies"),),
    ),
    Claim(
        "Q6",
        "Qwen2.5-7B with test-time scaling surpasses 7B policies trained by SFT, RL or tree search.",
        ("table6",),
        "IMG, TBL",
        (_more("tts-math7b", "Qwen2.5-7B with TTS minus Qwen2.5-Math-7B with CoT, MATH-500"),),
    ),
    Claim(
        "Q6",
        "It stays behind the policy distilled from R1, most of all on AIME24.",
        ("table6",),
        "IMG, TBL",
        (
            Criterion(
                "tts-r1-math",
                "Qwen2.5-7B with TTS minus R1-Distill-Qwen-7B, MATH-500",
                below=0.0,
            ),
            Criterion("tts-r1-aime", "Qwen2.5-7B with TTS minus R1-Distill-Qwen-7B, AIME24", below=0.0),
        ),
    ),
)
CRITERIA = {test.name: test for claim in CLAIMS for test in claim.tests}
