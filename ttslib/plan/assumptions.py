"""Everything a plan assumes, in one place. Nothing of it was measured on a GPU: compare after a run (`actual`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROBLEMS = {"math500": 500, "aime24": 30}
"""Problems of each benchmark."""

ORDINARY_LIMIT = 8192
"""Policies that may write more new tokens than this are the long reasoners (DeepSeek-R1-Distill: 32,768)."""


@dataclass(frozen=True)
class Assumptions:
    """Lengths in tokens, speeds as shares of the data sheet, sizes in bytes, times in seconds.

    Attributes:
        solution: mean tokens of a solution. MATH-500: 400, from the paper's Table 4 (3.07e17 FLOPs / (2 x 3e9
            parameters x 500 problems) = 102,300 tokens per problem = 256 samples of 400). AIME24: 1,000, a guess.
        reasoning: the same for R1-Distill. MATH-500: 3,600, from Table 4 (116,400 tokens per problem) and 32 samples,
            a number that the paper does not state. AIME24: 12,000, a guess.
        step: tokens of a step; the paper's Table 1 has 46.6 and 58.4.
        prompt: tokens of system prompt and question, a guess (the Llama prompt is the longest, about 150, and the
            question).
        prm_extra: PRM tokens per step token, for tags and turn markers: Qwen2.5-Math-PRM adds 1 per step, RLHFlow
            about 10.
        prm_reuse: the PRM keeps the prefix, so that a step is forwarded once. If not, it forwards the path again at
            each depth.
        utilization: share of a GPU's memory that weights, activations and KV cache may take (vLLM's
            gpu_memory_utilization is 0.9 by default); the rest is for CUDA's context and graphs, and fragments.
        sequences: generated side by side by one engine at most (vLLM's max_num_seqs, 256 by default).
        batched_tokens: of one prefill batch (vLLM's max_num_batched_tokens).
        context: prompt and solution of an ordinary policy and of a PRM (the paper's servers: 8192).
        decode_bandwidth: share of the memory bandwidth that decoding reaches.
        compute: share of the dense bf16 FLOP/s that prefill and large decode batches reach.
        tensor_parallel: speed that is left per GPU when a model is spread over several (all-reduce per layer).
        step_seconds: of scheduler, sampler and kernel launches per decoding step, whatever the model.
        start_seconds: to start an engine, besides reading its weights.
        read_bytes: per second when weights are read from disk.
        record_bytes: on disk per policy token: text, token ids and scores, compressed. A guess for large vocabularies;
            records of nano models, which have few different tokens, take 2.3 (measured).
    """

    solution: Mapping[str, float] = field(default_factory=lambda: {"math500": 400.0, "aime24": 1000.0})
    reasoning: Mapping[str, float] = field(default_factory=lambda: {"math500": 3600.0, "aime24": 12000.0})
    step: float = 50.0
    prompt: float = 250.0
    prm_extra: float = 1.2
    prm_reuse: bool = True
    utilization: float = 0.9
    sequences: int = 256
    batched_tokens: int = 8192
    context: int = 8192
    decode_bandwidth: float = 0.6
    compute: float = 0.5
    tensor_parallel: float = 0.85
    step_seconds: float = 0.005
    start_seconds: float = 60.0
    read_bytes: float = 2e9
    record_bytes: float = 6.0

    def solution_tokens(self, policy: Any, benchmark: str) -> float:
        """Mean tokens of one of the policy's solutions. KeyError for a benchmark without an assumption."""
        thinks = getattr(policy, "max_new_tokens", ORDINARY_LIMIT) > ORDINARY_LIMIT
        return (self.reasoning if thinks else self.solution)[benchmark]


DEFAULT = Assumptions()
