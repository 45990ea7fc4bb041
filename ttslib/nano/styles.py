"""How each kind of policy writes a solution: one step a paragraph, the answer in a box at the end."""

from ttslib.nano.subjects import Worked

SEPARATOR = "\n\n"


def llama_steps(worked: Worked) -> list[str]:
    """"## Step k: fact" paragraphs and Meta's closing phrase, as the Llama 3 prompt asks for."""
    steps = [f"## Step {k}: {fact}" for k, fact in enumerate(worked.facts, 1)]
    return [*steps, f"The final answer is: $\\boxed{{{worked.answer}}}$"]


def qwen_steps(worked: Worked) -> list[str]:
    """Plain paragraphs, the fact between dollar signs."""
    steps = [f"{'First' if not k else 'Next'}, ${fact}$." for k, fact in enumerate(worked.facts)]
    return [*steps, f"So the answer is \\boxed{{{worked.answer}}}."]


def mistral_steps(worked: Worked) -> list[str]:
    """"Step k: fact" lines, as Math-Shepherd's generator writes them."""
    steps = [f"Step {k}: {fact}" for k, fact in enumerate(worked.facts, 1)]
    return [*steps, f"The answer is: \\boxed{{{worked.answer}}}"]


def deepseek_steps(worked: Worked) -> list[str]:
    """Long steps: two facts a paragraph."""
    pairs = [worked.facts[k : k + 2] for k in range(0, len(worked.facts), 2)]
    steps = ["We have " + " and then ".join(f"${fact}$" for fact in pair) + "." for pair in pairs]
    return [*steps, f"Therefore the answer is $\\boxed{{{worked.answer}}}$."]


STYLES = {"llama": llama_steps, "qwen": qwen_steps, "mistral": mistral_steps, "deepseek": deepseek_steps}


def check_steps(steps: list[str], worked: Worked, style: str) -> int:
    """Index of the first wrong step of a sampled solution, or -1 if every step follows.

    A step is right when it is the step of the worked solution at its place: each subject has exactly one.
    `steps` are stripped of their separators. A solution that stops early is right so far (-1); one that goes on
    after its end is wrong at its first extra step.
    """
    expected = STYLES[style](worked)
    for index, step in enumerate(steps):
        if index >= len(expected) or step.strip() != expected[index]:
            return index
    return -1
