"""How each policy family is asked: system message, question, step separator. The chat template is the tokenizer's own.

Sources: Tables 7 and 8 of arXiv 2502.06703 and its code: the Llama 3 prompt is that of Meta's MATH evaluation, the
Qwen2.5 prompt the standard one of its math models, and the models distilled from R1 get that sentence after the
question, without a system message. Every family ends a step with a blank line; a text ends where the model ends it (the
ids of its tokenizer and generation config), and a search also ends a path at a closed box.
"""

from dataclasses import dataclass, replace

from ttslib.names import unknown
from ttslib.plain_text import PlainText
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
# Llama's own template writes today's date into the prompt, unless it is told one.
DATE = "26 Jul 2024"


@dataclass(frozen=True)
class Prompt:
    """A family's way of being asked. `system` is None where there is no system turn; `after` ends the question."""

    name: str
    system: str | None = None
    separator: str = "\n\n"
    after: str = ""

    def messages(self, problem: Problem) -> list[dict[str, str]]:
        """Chat messages for one problem; the assistant turn is what the policy writes."""
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*system, {"role": "user", "content": problem.question + self.after}]

    def ids(self, tokenizer, problem: Problem) -> tuple[int, ...]:
        """Token ids of the rendered prompt, the assistant's turn opened; the same on every day. The question is plain
        text, whatever control tokens it spells."""
        plain = PlainText(tokenizer, [problem.question])
        messages = self.messages(replace(problem, question=plain.hide(problem.question)))
        text = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, date_string=DATE
        )
        return tuple(plain.encode(text))


PROMPTS = {prompt.name: prompt for prompt in (
    Prompt("nano"),
    Prompt("llama3", LLAMA_SYSTEM),
    Prompt("qwen2.5", QWEN_SYSTEM),
    Prompt("r1", after=f"\n{QWEN_SYSTEM}"),
)}


def get_prompt(name: str) -> Prompt:
    """The prompt called `name`; ValueError if there is none."""
    if name not in PROMPTS:
        raise unknown("prompt", name, PROMPTS)
    return PROMPTS[name]
