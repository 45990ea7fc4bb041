"""Best-of-N of one policy with several PRMs, one model in memory at a time.

    tts.sample_then_score(problems, "Qwen/Qwen2.5-7B-Instruct", ["Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B"], n=256)

Run again, it samples and scores only what the store does not hold yet. Tree search needs both at once: `load_models`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ttslib.experiment import solve
from ttslib.models import gpus_visible, options_alone
from ttslib.policies import PAPER_POLICIES, load_policy
from ttslib.prms import PAPER_PRMS, load_prm
from ttslib.problems import Problem
from ttslib.results import Results
from ttslib.zoo import model_folder


def sample_then_score(
    problems: Sequence[Problem], policy: str, prms: Sequence[str], *, n: int,
    policy_options: Mapping[str, Any] | None = None, prm_options: Mapping[str, Any] | None = None, **settings: Any,
) -> dict[str, Results]:
    """PRM -> the results of "best_of_n". The policy draws n samples a problem and is freed; each PRM scores them and is
    freed before the next is loaded.

    `policy` and `prms` are what `load_policy` and `load_prm` take. Where there are GPUs, a model of the paper gets as
    many as it needs, and all of their memory that `make plan` counts on; `policy_options` and `prm_options` go to the
    loaders, and come first. `settings` are those of `solve`. Raises ValueError as these do, and, before anything is
    loaded, for a PRM that does not fit, is unknown or is named twice.
    """
    if len(set(prms)) != len(prms):
        raise ValueError(f"A PRM is named twice in {', '.join(prms)}.")
    for name in prms:
        model_folder(name)
    placed = {name: _placed(name, PAPER_PRMS, prm_options) for name in prms}
    run = {"method": "best_of_n", "n": n, **settings}
    sampler = load_policy(policy, **_placed(policy, PAPER_POLICIES, policy_options))
    try:
        solve(problems, sampler, None, **run)
    finally:
        sampler.close()
    found = {}
    for name in prms:
        prm = load_prm(name, **placed[name])
        try:
            found[name] = solve(problems, sampler, prm, **run)
        finally:
            prm.close()
    return found


def _placed(name: str, cards: Mapping[str, Any], own: Mapping[str, Any] | None) -> dict[str, Any]:
    machine = gpus_visible()
    return options_alone(cards[name], own or {}, machine) if machine.count and name in cards else dict(own or {})
