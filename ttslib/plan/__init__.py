"""Before a run: its cells, tokens, FLOPs, GPU memory, placement, hours and disk. After it: estimate beside actual.

    python -m ttslib.plan --profile paper --gpus 8xA100-80GB
    python -m ttslib.plan --profile nano --experiments fig4,table5
    python -m ttslib.plan --actual results

Every number is derived in the docstring of the function that computes it; what is assumed is in `assumptions`.
"""
