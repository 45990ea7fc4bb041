"""The plan as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from ttslib.cost import LENGTHS, REASONING
from ttslib.plan import assumptions
from ttslib.plan.actual import Beside
from ttslib.plan.hardware import KNOWN, Machine
from ttslib.plan.memory import sequences, weight_bytes
from ttslib.plan.placement import gpus_needed
from ttslib.plan.schedule import Placed, cards_of, nano_minutes
from ttslib.plan.tally import Load, Planned, Tally
from ttslib.policies.registry import PAPER_POLICIES
from ttslib.prms.registry import PAPER_PRMS
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


def gpu_plan(planned: Sequence[Planned], placed: Sequence[Sequence[Placed]], machine: Machine, profile: Profile) -> str:
    """Experiments with their cost and total, placements (without a GPU: how many of which would do), disk, and what was
    assumed. `placed`: the loads of each experiment."""
    gpu = machine.gpu
    where = "a machine without GPU: what there is to do, but no placement and no hours"
    if gpu:
        speed = f"{gpu.bandwidth / 1e9:,.0f} GB/s, {gpu.flops / 1e12:.0f} dense bf16 TFLOP/s each"
        where = f"{machine}: {gpu.memory / 2**30:.1f} GiB, {speed}"
    every = [one for each in placed for one in each]
    times = [_together(each) for each in (*placed, every)] if gpu else ["-"] * (len(planned) + 1)
    table = costs_table(planned, "hours", times)
    if gpu:
        total = sum(one.hours or 0.0 for one in every)
        table += f"\nTotal: {total:,.0f} hours, which is {total / 24:,.1f} days"
    if times[-1].endswith("*"):
        table += "\n*: without what does not fit, which is listed at the end."
    placements = [placement_table(every, machine), PLACEMENT_NOTE] if gpu else [needs_table(every), NEEDS_NOTE]
    parts = [f"Plan of profile {profile.name} for {where}", table, CELLS_NOTE, *placements, disk(planned), assumed()]
    return "\n\n".join([*parts, *notes(planned)])


def _together(placed: Sequence[Placed]) -> str:
    """The hours of what fits; with a `*` if something does not."""
    known = [one.hours for one in placed if one.hours is not None]
    return hours(sum(known) if known or not placed else None) + "*" * (len(known) < len(placed))


def nano_plan(planned: Sequence[Planned], profile: Profile) -> str:
    """Experiments with their cost and the minutes of two cores."""
    minutes = [nano_minutes(each.loads) for each in planned]
    minutes.append(tuple(map(sum, zip(*minutes, strict=True))))
    table = costs_table(planned, "minutes", [f"{fewest:.1f} - {most:.1f}" for fewest, most in minutes])
    (slow, fast), start = assumptions.NANO_WRITTEN, assumptions.NANO_START_SECONDS
    speeds = (
        f"At {slow:,} to {fast:,} tokens per second, and {start:.0f} s for a job to load its models.\n"
        "Tokens are upper bounds: equal solutions are scored once, and paths that end early take up beams."
    )
    title = f"Plan of profile {profile.name} for two cores, no GPU"
    return "\n\n".join([title, table, CELLS_NOTE, speeds, *notes(planned)])


CELLS_NOTE = "Cells are problems x runs; new are those that no earlier experiment has, and only these are counted on."


def costs_table(planned: Sequence[Planned], unit: str, times: Sequence[str]) -> str:
    """One line per experiment and the total, with their `times`, in hours or minutes."""
    head = (
        "experiment", "shows", "runs", "cells", "new", "policy tokens", "PRM tokens", "policy FLOPs", "PRM FLOPs", unit,
        "records GB",
    )  # fmt: skip
    stored = assumptions.RECORD_BYTES if unit == "hours" else assumptions.NANO_RECORD_BYTES

    def line(name: str, shows: str, runs: str, cells: str, tally: Tally, time: str) -> tuple[str, ...]:
        flops = (f"{each:.1e}" if each else "0" for each in (tally.policy_flops, tally.prm_flops))
        tokens, gigabytes = (count(tally.policy_tokens), count(tally.prm_tokens)), tally.stored_tokens * stored / 1e9
        return name, shows, runs, cells, f"{tally.cells:,}", *tokens, *flops, time, f"{gigabytes:.1f}"

    tallies = [each.tally for each in planned]
    rows = []
    for each, tally, time in zip(planned, tallies, times[:-1], strict=True):
        cells = f"{sum(run.size for run in each.runs):,}"
        rows.append(line(each.experiment.name, each.experiment.shows, str(len(each.runs)), cells, tally, time))
    return columns(head, [*rows, line("total", "", "", "", sum(tallies, Tally()), times[-1])], left=2)


NEEDS_NOTE = "The columns of GPUs: how many of them hold both models at once, with a KV cache for the longest sequence."


def needs_table(placed: Iterable[Placed]) -> str:
    """One line per pair that searches: its weights, and how many GPUs of each known kind it takes."""
    rows = []
    for policy, prm in _in_order(each.load for each in placed):
        if policy and prm:
            counts = (gpus_needed(policy, prm, gpu) for gpu in KNOWN.values())
            weights = f"{(weight_bytes(policy) + weight_bytes(prm)) / 1e9:.1f}"
            rows.append((policy.name, prm.name, weights, *(str(each or "-") for each in counts)))
    return columns(("policy", "PRM", "weights GB", *KNOWN), rows, left=2)


PLACEMENT_NOTE = (
    "'shared': policy and PRM on the same GPUs; '+': each on its own; tpK: a policy spread over K GPUs (tensor\n"
    "parallel); ppK: a PRM with its layers on K GPUs, which work one after the other.\n"
    "Copies run side by side: so many processes over one store, each with its own CUDA_VISIBLE_DEVICES. Memory:\n"
    "gpu_memory_utilization of each, and in GB of each GPU. At once: solutions that the KV cache keeps running per\n"
    "copy. A policy samples alone; then each PRM is beside it while it searches, and scores the samples. These are\n"
    "the fastest ways; a run itself takes GPUs apart before shared ones, and as few as do."
)


def placement_table(placed: Iterable[Placed], machine: Machine) -> str:
    """One line per pair that searches, policy that samples, and PRM that scores samples; hours over all experiments."""
    found = list(placed)
    rows = []
    for cards in _in_order(each.load for each in found):
        same = [each for each in found if cards_of(each.load.policy, each.load.prm) == cards]
        policy, prm = cards
        weights = f"{sum(weight_bytes(card) for card in cards if card) / 1e9:.1f}"
        named = policy.name if policy else "(samples)", prm.name if prm else "(none)", weights
        longest = max(same, key=lambda each: each.hours or 0.0)
        if (way := longest.placement) is None:
            rows.append((*named, "does not fit", "-", "-", "-", "-", "-"))
            continue
        running = f"{sequences(way.policy.held, longest.load.parts[0].lengths):.0f}" if way.policy else "-"
        total = hours(sum(each.hours for each in same))
        copies = str(machine.count // way.gpus)
        rows.append((*named, str(way), copies, way.shares, way.gigabytes(machine.gpu), running, total))
    head = ("policy", "PRM", "weights GB", "placement", "copies", "memory", "GB", "at once", "hours")
    return columns(head, rows, left=2)


def _in_order(loads: Iterable[Load]) -> list[tuple]:
    """The cards of what is in memory at once, each once, in the registries' order."""
    policies, prms = [None, *PAPER_POLICIES.values()], [None, *PAPER_PRMS.values()]
    cards = dict.fromkeys(cards_of(load.policy, load.prm) for load in loads)
    return sorted(cards, key=lambda pair: (policies.index(pair[0]), prms.index(pair[1])))


def disk(planned: Sequence[Planned]) -> str:
    """Bytes of the weights to download and of the records."""
    cards = {card for each in planned for run in each.runs for card in cards_of(run.policy, run.prm) if card}
    weights = sum(weight_bytes(card) for card in cards)
    records = sum((each.tally for each in planned), Tally()).stored_tokens * assumptions.RECORD_BYTES
    models = f"{weights / 1e9:,.0f} GB of weights ({len(cards)} models in bf16)"
    return f"Disk: {models}, {records / 1e9:,.1f} GB of records."


def assumed() -> str:
    """The assumptions that matter most."""
    sets = ("math500", "aime24")
    return "\n  ".join((
        "Assumed, not measured on a GPU (ttslib/cost.py, ttslib/plan/assumptions.py):",
        "tokens per solution: " + ", ".join(f"{LENGTHS[name].solution:,.0f} on {name}" for name in sets)
        + " (R1-Distill: " + ", ".join(f"{REASONING[name]:,.0f} on {name}" for name in sets) + ")",
        f"{assumptions.DECODE_BANDWIDTH:.0%} of the memory bandwidth and {assumptions.COMPUTE:.0%} of the dense bf16"
        f" FLOP/s are reached, {assumptions.TENSOR_PARALLEL:.0%} of that under tensor parallelism",
        "a PRM reads each step once; one pool of samples per policy serves every Best-of-N and every PRM",
    ))  # fmt: skip


def notes(planned: Iterable[Planned]) -> list[str]:
    """What is chosen where the paper does not say, as a part of the plan; none if nothing is."""
    lines = [
        fill(f"{each.experiment.name}: {each.experiment.note}", 120, initial_indent="  ", subsequent_indent="    ")
        for each in planned if each.runs and each.experiment.note
    ]  # fmt: skip
    return ["Chosen where the paper does not say:\n" + "\n".join(lines)] if lines else []


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
