"""Before a run: what the notebooks of a profile take on this machine or on others.

    python -m ttslib.plan --profile paper --gpus 8xA100-80GB
    python -m ttslib.plan --profile paper --gpus 1xRTX3090 --problems 50 --budgets 4,16
    python -m ttslib.plan --profile nano --measure

Cells, tokens, FLOPs, disk, the GPUs that each policy-PRM pair needs, and hours where speeds were measured: by the
records in the store, to which `--measure` adds a minute of each model. `--all` is for every experiment of the paper.
"""
