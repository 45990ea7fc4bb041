"""What every backend does before it samples: the token ids of a path, and the room left."""

from collections.abc import Iterable
from dataclasses import replace

from ttslib.policies.base import Path, Step
from ttslib.prompts import Prompt
from ttslib.usage import current


class Prefixes:
    """Turns paths into token ids for one tokenizer; a question is rendered and encoded once.

    The steps of a path are never encoded again: their ids are those the policy produced. Raises ValueError if the
    tokenizer has no chat template.
    """

    def __init__(self, name: str, prompt: Prompt, tokenizer, max_model_len: int):
        if not getattr(tokenizer, "chat_template", None):
            raise ValueError(f"{name} has no chat template, so it cannot be asked: take an instruction-tuned model.")
        self.name, self.prompt, self.tokenizer, self.max_model_len = name, prompt, tokenizer, max_model_len
        self._prompts: dict[str, tuple[int, ...]] = {}

    def __call__(self, path: Path, max_tokens: int) -> tuple[list[int], int]:
        """(ids of prompt and steps, how many tokens may follow: `max_tokens` or what the context has room for).

        Raises ValueError if there is room for none.
        """
        prompt = self._prompt(path)
        ids = [*prompt, *(token for step in path.steps for token in step.tokens)]
        room = self.max_model_len - len(ids)
        if room < 1:
            raise ValueError(
                f"{self.name}: the path of {path.problem.id} fills the context of {self.max_model_len} tokens."
            )
        if (search := current()) is not None:
            search.prompt = len(prompt)
        return ids, min(max_tokens, room)

    def ended(self, ids: list[int], steps: Iterable[Step]) -> list[Step]:
        """The steps sampled after `ids`; one that leaves no room for a next step ends its path, so it is "length"."""
        room = self.max_model_len - len(ids)
        return [
            replace(step, finish="length") if step.finish == "step" and len(step.tokens) >= room else step
            for step in steps
        ]

    def _prompt(self, path: Path) -> tuple[int, ...]:
        question = path.problem.question
        if question not in self._prompts:
            self._prompts[question] = self.prompt.ids(self.tokenizer, path.problem)
        return self._prompts[question]
