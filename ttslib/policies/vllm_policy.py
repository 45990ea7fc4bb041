"""A policy in an in-process vLLM engine: every `sample` call is one request."""

from transformers import AutoTokenizer

from ttslib.policies.base import Draw, Path, Policy, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import Prompt
from ttslib.vllm_engine import Engine


class VLLMPolicy(Policy):
    """See `Policy`. `folder` is what vLLM loads; `dtype` as in vLLM ("float32", "bfloat16", "auto").

    float32 is the default on CPU: samples then do not depend on what else is in the batch (up to about 1e-6), so a
    run is a function of its inputs. `logprobs` fills `Step.logprob`, for 5 to 9 % of the throughput of a nano model.
    """

    backend = "vllm"

    def __init__(self, folder: str, *, name: str, revision: str, prompt: Prompt, dtype: str, max_model_len: int,
                 max_num_seqs: int = 256, logprobs: bool = False, **engine_options):
        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        self.max_model_len = max_model_len
        self.logprobs = 0 if logprobs else None  # vLLM's words for "of the chosen token alone" and "of none"
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._prefix = Prefixes(name, prompt, self.tokenizer, max_model_len)
        self.engine = Engine(
            folder, name=name, dtype=dtype, max_model_len=max_model_len, max_num_seqs=max_num_seqs, **engine_options
        )

    @property
    def closed(self) -> bool:
        return self.engine.core is None

    def close(self) -> None:
        """See `Policy.close`."""
        self.engine.close()

    async def _sample(self, path: Path, draw: Draw) -> list[Step]:
        ids, limit = self._prefix(path, draw.max_tokens)
        output = await self.engine.submit(
            ids, n=draw.n, seed=draw.seed if draw.temperature else None, temperature=draw.temperature,
            top_p=draw.top_p, max_tokens=limit, logprobs=self.logprobs, stop=[draw.stop] if draw.stop else None,
            include_stop_str_in_output=True, skip_special_tokens=True,
        )  # fmt: skip
        steps = self._prefix.ended(ids, [_step(completion, draw.stop) for completion in output.outputs])
        self.usage.add(tokens=sum(len(step.tokens) for step in steps), calls=1)
        return steps


def _step(completion, stop: str | None) -> Step:
    if completion.finish_reason == "length":
        finish = "length"
    else:
        finish = "step" if stop and completion.stop_reason == stop else "eos"
    return Step(completion.text, tuple(completion.token_ids), finish, completion.cumulative_logprob or 0.0)
