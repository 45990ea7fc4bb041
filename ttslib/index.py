"""The pages a reviewer opens first, made from what `plots.save` wrote beside each figure.

    python -m ttslib.index figures

writes figures/README.md (every picture with its caption, origin and cost, and a map from the paper's figures and tables
to ours) and figures/CHECKLIST.md (what was run, on what, how sure), and puts the map into the package's README. Nothing
in them is written by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ttslib.paper import EXPERIMENTS, claims

WIDTH = 760  # pixels at which the index shows a picture
FROM, TO = "<!-- made by `python -m ttslib.index figures`: from here -->", "<!-- to here -->"
REPRODUCED = {
    "fig1": ("11_small_vs_large", "figure_1"),
    "fig2": ("01_tts_methods", "methods"),
    "fig3": ("03_difficulty", "pass_at_1"),
    "fig4": ("04_policy_prm_grid", "accuracy_against_budget"),
    "fig5": ("05_aime_grid", "accuracy_against_budget"),
    "fig6": ("06_process_supervision", "accuracy_against_f1"),
    "fig7": ("07_policy_size", "methods_against_budget"),
    "fig8": ("08_difficulty_levels", "llama_by_level"),
    "fig9": ("08_difficulty_levels", "qwen_by_level"),
    "fig10": ("04_policy_prm_grid", "accuracy_of_all_policies"),
    "fig11": ("05_aime_grid", "accuracy_of_all_policies"),
    "fig12": ("09_bias_and_voting", "token_ratios"),
    "fig13_18": ("10_prm_failures", "failure_rates"),
    "table1": ("09_bias_and_voting", "token_ratios"),
    "table2": ("09_bias_and_voting", "voting_rules"),
    "table3": ("11_small_vs_large", "table_3"),
    "table4": ("12_flops", "table_4"),
    "table5": ("13_gains", "gain_and_efficiency"),
    "table6": ("14_long_cot", "table6"),
}
"""Experiment of the paper -> notebook and figure that reproduce it."""


@dataclass(frozen=True)
class Shown:
    """One saved figure: the four files NAME.png, .svg, .csv and .json in the folder of its notebook."""

    folder: Path
    name: str

    @cached_property
    def about(self) -> dict[str, Any]:
        """Its provenance. Raises ValueError if the file is no JSON object."""
        path = self.folder / f"{self.name}.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} cannot be read: {error}.") from None
        if not isinstance(found, dict):
            raise ValueError(f"{path} is no provenance.")
        return found

    @property
    def notebook(self) -> str:
        return self.folder.name

    def link(self, kind: str) -> str:
        return f"{self.notebook}/{self.name}.{kind}"


def shown_in(figures: Path) -> list[Shown]:
    """All figures, notebook by notebook, in the order in which their notebooks made them.

    Raises ValueError if there is none.
    """
    paths = [path for path in figures.glob("[0-9][0-9]_*/*.json") if path.with_suffix(".png").exists()]
    found = [Shown(path.parent, path.stem) for path in paths]
    if not found:
        raise ValueError(f"No figure below {figures}: run `make figures` first.")
    return sorted(found, key=lambda each: (each.notebook, _place(each), each.name))


def index(figures: Path) -> str:
    """The text of figures/README.md."""
    shown = shown_in(figures)
    parts = [
        "# Figures",
        "Every picture of the package, with the numbers behind it (CSV) and where they come from (JSON). `make "
        "figures` makes them and this page. Intervals are 95 % over problems. For a review, begin with the "
        "[checklist](CHECKLIST.md).",
        "## From the paper to here",
        paper_table(shown, figures),
    ]
    for notebook in dict.fromkeys(each.notebook for each in shown):
        parts.append(f"## [{_title(figures / notebook, notebook)}]({notebook}/{notebook}.ipynb)")
        parts += [_entry(each) for each in shown if each.notebook == notebook]
    return "\n\n".join(parts) + "\n"


def paper_table(shown: Iterable[Shown], figures: Path, below: str = "") -> str:
    """Figure or table of the paper -> picture, notebook, profiles and verdict on its claims, as Markdown.

    `below` is put before every link, for a page that lies elsewhere.
    """
    known, verdicts = {(each.notebook, each.name): each for each in shown}, claim_verdicts(figures)
    notebooks = {notebook for notebook, _ in known}
    rows = []
    for name, experiment in EXPERIMENTS.items():
        notebook, figure = REPRODUCED[name]
        ours = known.get((notebook, figure))
        rows.append((
            f"{_called(name)}: {experiment.shows}", f"[{figure}]({below}{ours.link('png')})" if ours else "–",
            f"[{notebook[:2]}]({below}{notebook}/{notebook}.ipynb)" if notebook in notebooks else "–",
            *_status(name, ours),
            verdicts.get(name, "–"),
        ))  # fmt: skip
    return _table(("of the paper", "here", "notebook", "nano", "full", "paper", "its claims here"), rows)


def claim_verdicts(figures: Path) -> dict[str, str]:
    """Experiment -> "2 hold, 1 undecided" of the claims that the paper shows it for; {} before they were judged."""
    path = next(figures.glob("[0-9][0-9]_verdicts/verdicts.csv"), None)
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        judged = {int(row["claim"]): row["claim_verdict"] for row in csv.DictReader(file)}
    found: dict[str, dict[str, int]] = {}
    for number, claim in enumerate(claims.CLAIMS, start=1):
        for name in claim.evidence:
            counts = found.setdefault(name, {})
            counts[judged[number]] = counts.get(judged[number], 0) + 1
    return {name: ", ".join(f"{count} {each}" for each, count in counts.items()) for name, counts in found.items()}


def checklist(figures: Path) -> str:
    """The text of figures/CHECKLIST.md."""
    shown = shown_in(figures)
    profiles = {profile: [each for each in shown if each.about["profile"] == profile] for profile in
                dict.fromkeys(each.about["profile"] for each in shown)}  # fmt: skip
    parts = [
        "# Checklist for reviewers",
        "Made from the provenance of the figures by `python -m ttslib.index figures`.",
        "## What was run",
        _table(
            ("notebook", "figure", "profile", "cells", "failed", "policy tokens", "PRM tokens", "wall time", "seeds"),
            [
                (each.notebook, f"[{each.name}]({each.link('json')})", about["profile"], _count(about.get("cells")),
                 _count(about.get("failed")), _count(about["tokens"].get("policy")), _count(about["tokens"].get("prm")),
                 _time(about["wall_seconds"]), ", ".join(map(str, about["seeds"])) or "–")
                for each in shown for about in [each.about]
            ],
        ),
        "## On what",
    ]  # fmt: skip
    for profile, some in profiles.items():
        models = dict(sorted({name: tag for each in some for name, tag in each.about["models"].items()}.items()))
        versions = sorted({", ".join(f"{k} {v}" for k, v in each.about["versions"].items()) for each in some})
        commits = sorted({each.about["commit"] for each in some})
        parts += [
            f"**{profile}**: {'; '.join(versions)}.",
            f"Code at {', '.join(f'`{each[:12]}`' for each in commits)}.",
            _table(("model", "revision or content"), [(f"`{name}`", f"`{tag}`") for name, tag in models.items()]),
        ]
    parts += [
        "## How sure",
        "- Every accuracy has a 95 % interval over problems; methods are compared on the same problems, pair by pair.\n"
        "- A cell that failed or could not be decided counts nowhere as wrong: each table says how many it lacks.\n"
        "- One seed unless a row above names more: intervals hold the spread over problems, not that over seeds.\n"
        "- The nano models stand in for the paper's: shapes of curves can be compared with it, numbers cannot.\n"
        "- `make audit` computes a random part of the archive again and compares.",
    ]
    return "\n\n".join(parts) + "\n"


def write(figures: Path) -> list[Path]:
    """Write both pages, and the map into the package's README beside the folder, and return their paths.

    Raises ValueError as `shown_in` does.
    """
    pages = {figures / "README.md": index(figures), figures / "CHECKLIST.md": checklist(figures)}
    readme = figures.parent / "README.md"
    if readme.is_file() and FROM in (text := readme.read_text(encoding="utf-8")):
        before, _, rest = text.partition(FROM)
        table = paper_table(shown_in(figures), figures, f"{figures.name}/")
        pages[readme] = f"{before}{FROM}\n\n{table}\n\n{TO}{rest.partition(TO)[2]}"
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return list(pages)


def _entry(each: Shown) -> str:
    about = each.about
    origin = [
        f"`make figures PROFILE={about['profile']}`", *([about["date"]] if about.get("date") else []),
        f"{_count(about['tokens'].get('policy'))} policy and {_count(about['tokens'].get('prm'))} PRM tokens",
        f"{_time(about['wall_seconds'])} of computing",
        *([f"{about['failed']} cells failed"] if about.get("failed") else []),
    ]  # fmt: skip
    files = ", ".join(f"[{kind.upper()}]({each.link(kind)})" for kind in ("csv", "json", "svg"))
    return (
        f'<a href="{each.link("svg")}"><img src="{each.link("png")}" width="{WIDTH}" alt="{each.name}"></a>\n\n'
        f"{about.get('caption', each.name)}\n\n{' · '.join(origin)} · {files}"
    )


def _place(each: Shown) -> int:
    """Where the executed notebook shows it; those that it does not name come last."""
    path = each.folder / f"{each.notebook}.ipynb"
    at = path.read_text(encoding="utf-8").find(f'\\"{each.name}\\"') if path.is_file() else -1
    return at if at >= 0 else sys.maxsize


def _title(folder: Path, otherwise: str) -> str:
    """The first heading of the executed notebook."""
    path = folder / f"{folder.name}.ipynb"
    if not path.is_file():
        return otherwise
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = (line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).split("\n"))
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), otherwise)


def _status(name: str, ours: Shown | None) -> tuple[str, str, str]:
    """At nano, full and paper: what the figures that are there were drawn from."""
    drawn = ours and ours.about["profile"]
    nano = "–" if EXPERIMENTS[name].whole else "done" if drawn == "nano" else "`make figures`"
    full = "not filled" if drawn != "full" else "in part" if ours.about.get("missing") else "done"
    return nano, full, "done" if drawn == "paper" else "not run"


def _called(name: str) -> str:
    """ "fig13_18" -> "Figures 13-18"."""
    kind = "Table" if name.startswith("table") else "Figure"
    numbers = name.removeprefix("table").removeprefix("fig").replace("_", "-")
    return f"{kind}{'s' if '-' in numbers else ''} {numbers}"


def _count(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def _time(seconds: float) -> str:
    units = ((3600, "h", 7200), (60, "min", 120), (1, "s", 0))
    size, unit = next((size, unit) for size, unit, least in units if seconds >= least)
    return f"{seconds / size:.0f} {unit}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header)]
    lines += [["---"] * len(lines[0]), *(list(map(str, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when both pages are written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", type=Path)
    try:
        for path in write(parser.parse_args(arguments).figures):
            print(path)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
