"""What a plan assumes of machines: shares of the data sheet, bytes, seconds. None of it was measured on a GPU: compare
after a run (`actual`). How long solutions are stands in `ttslib.cost`."""

UTILIZATION = 0.9
"""Share of a GPU's memory that weights, activations and KV cache may take (vLLM's gpu_memory_utilization); the rest is
for CUDA's context and graphs, and fragments."""
SEQUENCES = 256
"""Generated side by side by one engine at most (vLLM's max_num_seqs)."""
BATCHED_TOKENS = 8192
"""Of one prefill batch (vLLM's max_num_batched_tokens)."""
CONTEXT = 8192
"""Prompt and solution of an ordinary policy and of a PRM (the paper's servers)."""
DECODE_BANDWIDTH = 0.6
"""Share of the memory bandwidth that decoding reaches."""
COMPUTE = 0.5
"""Share of the dense bf16 FLOP/s that prefill and large decode batches reach."""
TENSOR_PARALLEL = 0.85
"""Speed that is left per GPU when a model is spread over several (all-reduce per layer)."""
STEP_SECONDS = 0.005
"""Of scheduler, sampler and kernel launches per decoding step, whatever the model."""
START_SECONDS = 60.0
"""To start an engine, besides reading its weights."""
READ_BYTES = 2e9
"""Per second when weights are read from disk."""
RECORD_BYTES = 6.0
"""On disk per policy token: text, token ids and scores, compressed. A guess for large vocabularies."""

NANO_WRITTEN = (4000, 6000)
"""Policy tokens per second of nano models on two cores, the PRM in searches included (measured: `make bench`)."""
NANO_READ = (25_000, 50_000)
"""PRM tokens per second there, where stored samples are scored (measured: 3,840 of them in 8 to 15 s)."""
NANO_START_SECONDS = 10.0
"""To load the nano models of a job (measured: 6 s for a policy)."""
NANO_RECORD_BYTES = 2.3
"""On disk per policy token, measured: few different tokens compress well."""
