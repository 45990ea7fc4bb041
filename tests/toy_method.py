"""A search method of one's own in one file; `register(KeepOne())` makes it known."""

from ttslib.policies import Path, Step
from ttslib.search import Cost, Look, Method, Shape, Trajectory
from ttslib.search.tree import sample_seed


class KeepOne(Method):
    """N whole solutions, of which only the one whose last step scores best is an answer."""

    name = "keep_one"
    look = Look("Keep one", "sky", "h")
    uses = ("n", "seed", "temperature", "max_tokens")
    needs_prm = True

    def shape(self, config):
        return Shape(config.n, 1, 1, config.n)

    def expected(self, config, lengths, *, scored=True):
        written = config.n * lengths.solution
        return Cost(written, config.n * lengths.prompt + written * lengths.prm_extra)

    async def search(self, problem, policy, prm, config, tree):
        samples = await policy.sample(
            Path(problem), n=config.n, seed=sample_seed(config.seed, problem.id), temperature=config.temperature,
            max_tokens=config.max_tokens,
        )  # fmt: skip
        paths = [Path(problem, tuple(Step(text) for text in each.text.split(policy.separator))) for each in samples]
        scores = await prm.score(paths)
        for each in samples:
            tree.add(None, each, end=each.finish)
        best = max(range(config.n), key=lambda at: scores[at][-1])
        steps = tuple(step.text for step in paths[best].steps)
        return [Trajectory(steps, tuple(scores[best]), samples[best].finish, (best,), samples[best].logprob)]
