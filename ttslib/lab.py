"""JupyterLab in which notebooks run on the interpreter that starts it, as those of `ttslib.execute` do.

    python -m ttslib.lab --notebook-dir=.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KERNEL = "python3"  # what Jupyter starts for a notebook that asks for nothing else


@contextmanager
def own_kernel() -> Iterator[None]:
    """Meanwhile Jupyter's kernel `KERNEL` is this interpreter, whatever is installed under that name elsewhere.

    Jupyter looks in JUPYTER_PATH first.
    """
    from ipykernel.kernelspec import write_kernel_spec

    before = os.environ.get("JUPYTER_PATH")
    with TemporaryDirectory(prefix="ttslib-") as folder:
        write_kernel_spec(Path(folder) / "kernels" / KERNEL)
        os.environ["JUPYTER_PATH"] = os.pathsep.join([folder, *filter(None, [before])])
        try:
            yield
        finally:
            os.environ.pop("JUPYTER_PATH")
            if before is not None:
                os.environ["JUPYTER_PATH"] = before


def main() -> None:
    from jupyterlab import labapp

    with own_kernel():
        labapp.main()


if __name__ == "__main__":
    main()
