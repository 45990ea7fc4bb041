"""How each policy family is asked: system message and step separator. The chat template is the tokenizer's own.

Sources: paper.md 1.9 (Tables 7 and 8 of arXiv 2502.06703): the Llama 3 prompt is that of Meta's MATH evaluation, the
Qwen2.5 prompt the standard one of its math models.
"""

from dataclasses import dataclass

from ttslib.problems import Problem

LLAMA_SYSTEM = r"""Solve the following math problem efficiently and clearly:

- For simple problems (2 steps or fewer):
Provide a concise solution with minimal explanation.

- For complex problems (3 steps or more):
Use this step-by-step format:

## Step 1: [Concise description]
[Brief explanation and calculations]

## Step 2: [Concise description]
[Brief explanation and calculations]

...

Regardless of the approach, always conclude with:

Therefore, the final answer is: $\boxed{answer}$. I hope it is correct.

Where [answer] is just the final number or expression that solves the problem."""
QWEN_SYSTEM = r"Please reason step by step, and put your final answer within \boxed{}."


@dataclass(frozen=True)
class Prompt:
    """A family's way of being asked. `system` is None where the model knows no system turn."""

    name: str
    system: str | None = None
    separator: str = "\n\n"

    def messages(self, problem: Problem) -> list[dict[str, str]]:
        """Chat messages for one problem; the assistant turn is what the policy writes."""
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*system, {"role": "user", "content": problem.question}]

    def ids(self, tokenizer, problem: Problem) -> tuple[int, ...]:
        """Token ids of the rendered prompt, the assistant's turn opened."""
        text = tokenizer.apply_chat_template(self.messages(problem), add_generation_prompt=True, tokenize=False)
        return tuple(tokenizer.encode(text, add_special_tokens=False))


PROMPTS = {prompt.name: prompt for prompt in (
    Prompt("nano"),
    Prompt("llama3", LLAMA_SYSTEM),
    Prompt("qwen2.5", QWEN_SYSTEM),
)}


def get_prompt(name: str) -> Prompt:
    """The prompt called `name`; ValueError if there is none."""
    if name not in PROMPTS:
        raise ValueError(f"Unknown prompt {name!r}: give one of {', '.join(PROMPTS)}.")
    return PROMPTS[name]
