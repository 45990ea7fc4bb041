"""The plan as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ttslib.plan import nano
from ttslib.plan.actual import Beside
from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.hardware import KNOWN, Machine
from ttslib.plan.memory import sequences, weight_bytes
from ttslib.plan.notebooks import notebooks
from ttslib.plan.placement import gpus_needed
from ttslib.plan.schedule import Cards, Phase, Planned, total_hours
from ttslib.profiles import Profile


def columns(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Rows under a head, the first `left` columns flush left, the others right."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    aligned = (
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "\n".join(line.rstrip() for line in aligned)


def count(number: float) -> str:
    """1,234,567 as 1.2 M."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f}"


def hours(number: float | None) -> str:
    """Three digits; "-" for what has none."""
    if number is None:
        return "-"
    if 0 < number < 0.05:
        return "<0.1"
    return f"{number:,.0f}" if number >= 100 or not number else f"{number:.1f}"


def paper_plan(
    planned: Sequence[Planned], cards: Cards, machine: Machine, assumptions: Assumptions = DEFAULT,
    at_profile: Sequence[Planned] = (), profile: Profile | None = None,
) -> str:
    """Notebooks (`at_profile`, as of `notebooks.planned` with that `profile`), experiments with their cost and total,
    placements (without a GPU: how many of which would do), disk, and what was assumed."""
    gpu = machine.gpu
    where = "a machine without GPU: what there is to do, but no placement and no hours"
    if gpu:
        speed = f"{gpu.bandwidth / 1e9:,.0f} GB/s, {gpu.flops / 1e12:.0f} dense bf16 TFLOP/s each"
        where = f"{machine}: {gpu.memory / 2**30:.1f} GiB, {speed}"
    parts = [f"Plan of profile paper for {where}"]
    if profile:
        parts += [costs_table("notebook", at_profile, machine, assumptions), pair_of(at_profile, cards, profile)]
        parts += ["All experiments of the paper:"]
    parts += [
        costs_table("experiment", planned, machine, assumptions),
        "Cells are problems x runs; those that an earlier experiment has are not counted again.",
    ]
    if not gpu:
        parts += [needs_table(planned, cards, assumptions), NEEDS_NOTE]
    else:
        parts += [placement_table(planned, cards, machine, assumptions), PLACEMENT_NOTE]
    parts += [disk(planned, cards, assumptions), assumed(assumptions)]
    notes = [f"  {each.experiment.name}: {each.experiment.note}" for each in planned if each.experiment.note]
    return "\n\n".join(parts + (["Chosen where the paper does not say:\n" + "\n".join(notes)] if notes else []))


def costs_table(what: str, planned: Sequence[Planned], machine: Machine, assumptions: Assumptions) -> str:
    """One line per notebook or experiment (`what`), and the total. A `*` behind hours: without what does not fit."""
    head = (
        what, "shows", "pairs", "cells", "policy tokens", "PRM tokens", "policy FLOPs", "PRM FLOPs", "hours",
        "records GB",
    )  # fmt: skip
    rows, new = [], [each.cost for each in planned]
    for each in planned:
        pairs = {(run.policy, run.prm) for run in each.runs if run.prm}
        partial = "*" if machine.gpu and any(phase.hours is None for phase in each.phases) else ""
        rows.append((
            each.experiment.name, each.experiment.shows, str(len(pairs)), f"{each.cost.cells:,}",
            *_costs(each.cost.policy_tokens, each.cost.prm_tokens, each.cost.flops.policy, each.cost.flops.prm),
            (hours(each.hours) if machine.gpu else "-") + partial,
            f"{each.cost.stored_tokens * assumptions.record_bytes / 1e9:.1f}",
        ))  # fmt: skip
    total, some = total_hours(planned), "*" if any(row[8].endswith("*") for row in rows) else ""
    stored = sum(each.stored_tokens for each in new)
    rows.append((
        "total", "", "", f"{sum(each.cells for each in new):,}",
        *_costs(sum(each.policy_tokens for each in new), sum(each.prm_tokens for each in new),
                sum(each.flops.policy for each in new), sum(each.flops.prm for each in new)),
        hours(total) + some if machine.gpu else "-", f"{stored * assumptions.record_bytes / 1e9:.1f}",
    ))  # fmt: skip
    lines = columns(head, rows, left=2)
    if machine.gpu:
        lines += f"\nTotal: {total:,.0f} hours, which is {total / 24:,.1f} days"
    return lines + ("\n*: without the runs that do not fit, which are listed at the end." if some else "")


def pair_of(at_profile: Sequence[Planned], cards: Cards, profile: Profile) -> str:
    """Which models the notebooks run, and where; and what the nano models' notebook takes."""
    phase = at_profile[0].phases[0]
    names = f"{cards.policies[phase.policy].name} with {cards.prms[phase.prm].name}"
    place = f"; one copy on {phase.placement}, memory {phase.placement.shares}" if phase.placement else ""
    runs = notebooks(profile)["02_nano_zoo"]
    fewest, most = nano.minutes(nano.tokens(runs)[0])
    return (
        f"The notebooks run {names}{place}.\n02_nano_zoo runs nano models at every profile:"
        f" {sum(run.problems for run in runs):,} cells, {fewest:.0f} to {most:.0f} minutes of two cores."
    )


NEEDS_NOTE = "The columns of GPUs: how many of them hold both models at once, with a KV cache for the longest sequence."


def needs_table(planned: Sequence[Planned], cards: Cards, assumptions: Assumptions) -> str:
    """One line per pair that searches: its weights, and how many GPUs of each known kind it takes."""
    pairs = {(run.policy, run.prm) for each in planned for run in each.runs if run.prm}
    rows = []
    for policy, prm in (
        (cards.policies[one], cards.prms[other]) for one in cards.policies for other in cards.prms
        if (one, other) in pairs
    ):  # fmt: skip
        counts = (gpus_needed(policy, prm, gpu, assumptions) for gpu in KNOWN.values())
        weights = f"{(weight_bytes(policy) + weight_bytes(prm)) / 1e9:.1f}"
        rows.append((policy.name, prm.name, weights, *(str(each or "-") for each in counts)))
    return columns(("policy", "PRM", "weights GB", *KNOWN), rows, left=2)


PLACEMENT_NOTE = (
    "'shared': policy and PRM on the same GPUs; '+': each on its own; tpK: a policy spread over K GPUs (tensor\n"
    "parallel); ppK: a PRM with its layers on K GPUs, which work one after the other.\n"
    "Copies run side by side: so many processes over one store, each with its own CUDA_VISIBLE_DEVICES. Memory:\n"
    "gpu_memory_utilization of each, and in GB of each GPU. At once: sequences that the KV cache keeps running per\n"
    "copy. Best-of-N is sample_then_score: the policy alone, freed, then the PRM alone. These are the fastest ways;\n"
    "load_models itself takes GPUs apart before shared ones, and as few as do."
)


def placement_table(planned: Sequence[Planned], cards: Cards, machine: Machine, assumptions: Assumptions) -> str:
    """One line per pair that searches, policy that samples, and PRM that scores pools; hours over all experiments."""
    groups: dict[tuple, list[Phase]] = {}
    for phase in (phase for each in planned for phase in each.phases):
        groups.setdefault((phase.policy, phase.prm, phase.kind), []).append(phase)
    rows = []
    places = {hub_id: place for place, hub_id in enumerate((*cards.policies, "", *cards.prms))}
    for (policy, prm, _), found in sorted(groups.items(), key=lambda one: [places[hub or ""] for hub in one[0][:2]]):
        models = [cards.policies[policy]] if policy else []
        models += [cards.prms[prm]] if prm else []
        named = [models[0].name if policy else "(pools)", models[-1].name if prm else "(samples)"]
        weights = f"{sum(weight_bytes(each) for each in models) / 1e9:.1f}"
        longest = max(found, key=lambda phase: phase.hours or 0.0)
        place = longest.placement
        if place is None:
            rows.append((*named, weights, "does not fit", "-", "-", "-", "-", "-"))
            continue
        running = "-"
        if place.policy:
            run = longest.runs[0]
            length = assumptions.prompt + assumptions.solution_tokens(cards.policies[policy], run.benchmark)
            running = f"{sequences(place.policy.held, length, assumptions):.0f}"
        copies, total = str(machine.count // place.gpus), hours(sum(phase.hours for phase in found))
        rows.append((*named, weights, str(place), copies, place.shares, place.gigabytes(machine.gpu), running, total))
    head = ("policy", "PRM", "weights GB", "placement", "copies", "memory", "GB", "at once", "hours")
    return columns(head, rows, left=2)


def disk(planned: Sequence[Planned], cards: Cards, assumptions: Assumptions) -> str:
    """Bytes of the weights to download and of the records."""
    used = {run.policy: cards.policies[run.policy] for each in planned for run in each.runs}
    used |= {run.prm: cards.prms[run.prm] for each in planned for run in each.runs if run.prm}
    weights = sum(weight_bytes(card) for card in used.values())
    records = sum(each.cost.stored_tokens for each in planned) * assumptions.record_bytes
    return f"Disk: {weights / 1e9:,.0f} GB of weights ({len(used)} models in bf16), {records / 1e9:,.1f} GB of records."


def assumed(assumptions: Assumptions) -> str:
    """The assumptions that matter most."""
    lengths = ", ".join(f"{tokens:,.0f} on {name}" for name, tokens in assumptions.solution.items())
    thinking = ", ".join(f"{tokens:,.0f} on {name}" for name, tokens in assumptions.reasoning.items())
    lines = (
        "Assumed, not measured on a GPU (ttslib/plan/assumptions.py):",
        f"tokens per solution: {lengths} (R1-Distill: {thinking})",
        f"{assumptions.decode_bandwidth:.0%} of the memory bandwidth and {assumptions.compute:.0%} of the dense bf16"
        f" FLOP/s are reached, {assumptions.tensor_parallel:.0%} of that under tensor parallelism",
        f"a PRM reads each step {'once' if assumptions.prm_reuse else 'again at each depth'}",
        "one pool of the largest budget per policy serves every Best-of-N and every PRM",
    )
    return "\n  ".join(lines)


def nano_plan(profile: Profile) -> str:
    """Cells, tokens and minutes of the notebooks at a nano profile."""
    rows, low, high = [], 0.0, 0.0
    for name, runs in notebooks(profile).items():
        policy_tokens, prm_tokens = nano.tokens(runs)
        fewest, most = nano.minutes(policy_tokens)
        low, high = low + fewest, high + most
        cells = sum(run.problems for run in runs)
        rows.append((name, f"{cells:,}", count(policy_tokens), count(prm_tokens), f"{fewest:.1f} - {most:.1f}"))
    slow, fast = nano.TOKENS_PER_SECOND
    head = ("notebook", "cells", "policy tokens", "PRM tokens", "minutes")
    return (
        f"Plan of profile {profile.name} for two cores, no GPU\n\n"
        f"{columns(head, [*rows, ('total', '', '', '', f'{low:.1f} - {high:.1f}')])}\n\n"
        f"At {slow:,} to {fast:,} tokens per second, {nano.START_SECONDS:.0f} s to start each notebook. Tokens are\n"
        "upper bounds: equal solutions are scored once, and paths that end early take up beams."
    )


def beside_table(rows: Iterable[Beside]) -> str:
    """Estimate beside actual; the ratio is actual / estimate."""
    head = (
        "policy", "PRM", "benchmark", "method", "N", "cells", "failed", "policy tokens", "estimated", "ratio",
        "PRM tokens", "estimated", "ratio", "hours", "estimated", "ratio",
    )  # fmt: skip
    return columns(head, [
        (row.policy, row.prm or "-", row.benchmark, row.method, str(row.n), str(row.cells), str(row.failed),
         *_compared(row.policy_tokens, row.expected and row.expected.policy),
         *_compared(row.prm_tokens, row.expected and row.expected.prm),
         *_compared(row.hours, row.expected_hours, digits=2))
        for row in rows
    ], left=4)  # fmt: skip


def _compared(actual: float, guess: float | None, digits: int = 0) -> tuple[str, str, str]:
    ratio = f"{actual / guess:.2f}" if guess else "-"
    return f"{actual:,.{digits}f}", "-" if guess is None else f"{guess:,.{digits}f}", ratio


def _costs(policy_tokens: float, prm_tokens: float, *flops: float) -> tuple[str, ...]:
    return count(policy_tokens), count(prm_tokens), *(f"{each:.1e}" if each else "0" for each in flops)


