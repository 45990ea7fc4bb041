"""Where models lie: the shipped nano zoo by name, a local folder, or a Hub id."""

import hashlib
from pathlib import Path

ZOO = Path(__file__).parent / "nano" / "models"
NANO = tuple(sorted(folder.name for folder in ZOO.glob("nano-*"))) if ZOO.is_dir() else ()


def model_folder(name: str) -> Path | str:
    """The folder of a shipped model or of a path, or `name` itself if it is a Hub id ("owner/model").

    Raises ValueError for a name that is none of them, and for a folder without config.json or safetensors.
    """
    folder = ZOO / name if name in NANO else Path(name)
    if folder.is_dir():
        missing = [what for what in ("config.json", "*.safetensors") if not any(folder.glob(what))]
        if missing:
            raise ValueError(f"{folder} is not a model folder: it has no {' and no '.join(missing)}.")
        return folder
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return name
    raise ValueError(f"Unknown model {name!r}: give one of {', '.join(NANO)}, a Hub id or the path of a model folder.")


def weights_hash(folder: Path | str) -> str:
    """First 12 hex digits of the sha256 over a local folder's weights; "main" for a Hub id."""
    if isinstance(folder, str):
        return "main"
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
