"""Solutions that a policy sampled on training problems, with Monte-Carlo step labels and the exact first wrong step.

    python -m ttslib.nano.rollouts nano-mistral-0.4m --zoo runs/zoo     # writes runs/zoo/rollouts/NAME.jsonl

Monte-Carlo labels as Math-Shepherd makes them (arXiv 2312.08935, section 3.3): from the text up to a step the same
policy samples `COMPLETIONS` whole endings; the share that reaches the right answer is the step's label. Behind a step
with the share 0 every label is 0, without sampling. Solutions are sampled by the same Best-of-N search that
experiments use, half at T = 0.7 and half at T = 1.0. The file of a run that was cut short is gone on with.
"""

import argparse
import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path as FilePath

from tqdm import tqdm

from ttslib import loop
from ttslib.grading import extract_answer
from ttslib.nano.generator import generate
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import SEPARATOR, STYLES, check_steps
from ttslib.nano.subjects import Worked
from ttslib.policies import Path, Policy, Step, load_policy
from ttslib.problems import Problem

SEED = 2000
TEMPERATURES = (0.7, 1.0)
COMPLETIONS = 4
PROBLEMS, SAMPLES = 1200, 3  # samples are of each temperature
TOGETHER = 64  # problems at once
MAX_TOKENS = 400


async def roll_out(worked: Worked, number: int, policy: Policy, style: str, samples: int) -> dict:
    """One line of the file: question, the worked steps, and each distinct sampled solution with its labels.

    A solution is {"steps", "wrong": index of the first wrong step or -1, "shares": Monte-Carlo label of every step}.
    """
    problem = Problem(f"train/{number}", worked.question, worked.answer, worked.subject, worked.level)
    drawn = await asyncio.gather(*(
        policy.sample(Path(problem), n=samples, seed=number, temperature=t, max_tokens=MAX_TOKENS) for t in TEMPERATURES
    ))
    solutions = sorted({_cut(step.text) for step in itertools.chain(*drawn)})
    labels = _Labels(problem, policy)
    rows = [
        {"steps": steps, "wrong": check_steps(list(steps), worked, style), "shares": await labels.of(steps)}
        for steps in solutions if steps
    ]
    return {"question": worked.question, "right": STYLES[style](worked), "sampled": rows}


def _cut(text: str) -> tuple[str, ...]:
    return tuple(step.strip() for step in text.split(SEPARATOR) if step.strip())


class _Labels:
    """Monte-Carlo shares of the prefixes of one problem; a prefix that several solutions share is asked for once.

    Answers are compared as text: a NanoMATH answer has one written form.
    """

    def __init__(self, problem: Problem, policy: Policy):
        self.problem, self.policy = problem, policy
        self.known: dict[tuple[str, ...], float] = {}

    async def of(self, steps: Sequence[str]) -> list[float]:
        shares: list[float] = []
        for last in range(1, len(steps) + 1):
            shares.append(await self._share(tuple(steps[:last])) if not shares or shares[-1] else 0.0)
        return shares

    async def _share(self, steps: tuple[str, ...]) -> float:
        if steps not in self.known:
            text = SEPARATOR.join(steps)
            if extract_answer(text) is not None:
                self.known[steps] = float(self._right(text))
            else:
                endings = await self._endings(text + SEPARATOR, len(self.known))
                self.known[steps] = sum(self._right(text + SEPARATOR + end) for end in endings) / COMPLETIONS
        return self.known[steps]

    async def _endings(self, text: str, seed: int) -> list[str]:
        tokens = tuple(self.policy.tokenizer.encode(text, add_special_tokens=False))
        path = Path(self.problem, (Step(text, tokens),))
        steps = await self.policy.sample(path, n=COMPLETIONS, seed=seed, temperature=0.7, max_tokens=MAX_TOKENS)
        return [step.text for step in steps]

    def _right(self, text: str) -> bool:
        return extract_answer(text) == self.problem.answer


def write(policy: Policy, style: str, out: FilePath, problems: int, samples: int) -> None:
    """Rolls out the first `problems` training problems of `SEED` into `out`, but those that are there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_suffix(".part")
    done = _whole_lines(unfinished)
    asked = itertools.islice(enumerate(generate(SEED, "train")), done, problems)

    async def all_of_them() -> None:
        with unfinished.open("a", encoding="utf-8") as file, tqdm(total=problems, initial=done, desc=out.stem) as bar:
            while group := list(itertools.islice(asked, TOGETHER)):
                rows = await asyncio.gather(*(roll_out(w, i, policy, style, samples) for i, w in group))
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                file.flush()
                bar.update(len(group))

    loop.run(all_of_them())
    unfinished.replace(out)


def _whole_lines(file: FilePath) -> int:
    """How many lines are whole; a torn last one is cut off."""
    if not file.is_file():
        return 0
    whole, mark, _ = file.read_bytes().rpartition(b"\n")
    file.write_bytes(whole + mark)
    return whole.count(b"\n") + bool(mark)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(POLICIES))
    parser.add_argument("--zoo", type=FilePath, default=FilePath("runs/zoo"))
    parser.add_argument("--problems", type=int, default=PROBLEMS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    options = parser.parse_args()
    folder = options.zoo / options.name
    write(load_policy(str(folder), prompt="nano"), POLICIES[options.name].style,
          options.zoo / "rollouts" / f"{options.name}.jsonl", options.problems, options.samples)
