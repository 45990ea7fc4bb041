"""Memory of models that are no longer held."""

import gc

import torch


def reclaim() -> None:
    """Collect what nobody holds any more, and give what it held on a GPU back to the driver.

    vLLM hides everything that exists when an engine has started from the garbage collector, dropped models included.
    """
    gc.unfreeze()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
