"""Kernels that run notebooks headlessly, and say nothing of it on the terminal."""

import zmq
from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class QuietKernels(AsyncKernelManager):
    """What goes to a kernel is encrypted, since it warns if not, and one that ends is not interrupted before.

    That interruption may meet a kernel that still tidies up behind its last cell, which then reports an error.
    """

    @default("transport_encryption")
    def _encryption(self) -> str:
        return "auto" if zmq.has("curve") else "disabled"

    async def _async_interrupt_kernel(self) -> None:
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    interrupt_kernel = _async_interrupt_kernel
