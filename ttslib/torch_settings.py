"""What torch reads from the environment when it is first imported."""

import os

SETTINGS = {
    "OMP_WAIT_POLICY": "passive",  # threads that spin while they wait starve the other engine on few cores
    "TORCH_CPP_LOG_LEVEL": "ERROR",  # without it each engine on a CPU warns of where its memory is
}


def apply() -> None:
    """Sets them where the user has not; to be called before anything imports torch."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
