"""Where cells are computed: `Executor` is the interface, `LocalExecutor` this process."""

from ttslib.executors.base import Executor, Job
from ttslib.executors.local import LocalExecutor

__all__ = ["Executor", "Job", "LocalExecutor"]
