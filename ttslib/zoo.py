"""Where models lie: the shipped nano zoo by name, a local folder, or a Hub id."""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ttslib.names import unknown

ZOO = Path(__file__).parent / "nano" / "models"
NANO = tuple(sorted(folder.name for folder in ZOO.glob("nano-*"))) if ZOO.is_dir() else ()
HUB_SECONDS = 5


def model_folder(name: str, kind: str = "model") -> Path | str:
    """The folder of a shipped model or of a path, or `name` itself if it is a Hub id ("owner/model").

    kind: "policy" or "PRM" where only such a model will do: an error names no others.

    Raises ValueError for a name that is none of them, and for a folder without config.json or safetensors.
    """
    folder = ZOO / name if name in NANO else Path(name)
    if folder.is_dir():
        missing = [what for what in ("config.json", "*.safetensors") if not any(folder.glob(what))]
        if missing:
            raise ValueError(f"{folder} is not a model folder: it has no {' and no '.join(missing)}.")
        return folder
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    known = [each for each in NANO if kind == "model" or each.startswith("nano-prm-") == (kind == "PRM")]
    raise unknown(kind, name, known, ", a Hub id or the path of a model folder")


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit of the Hub, whose files never change; a branch is none."""
    return bool(re.fullmatch("[0-9a-f]{40}", revision))


def weights_hash(folder: Path | str) -> str:
    """First 12 hex digits of the sha256 over a local folder's weights; "main" for a Hub id."""
    if isinstance(folder, str):
        return "main"
    return _hash(tuple((file, file.stat().st_mtime_ns) for file in sorted(folder.glob("*.safetensors"))))


@lru_cache(maxsize=256)
def _hash(files: tuple[tuple[Path, int], ...]) -> str:
    """Of files and when they were written: the cells of many runs ask for it."""
    digest = hashlib.sha256()
    for file, _ in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()[:12]


def read_config(folder: Path | str, revision: str = "main") -> tuple[dict[str, Any], str | None]:
    """(config.json, commit) of what `model_folder` returned; a folder has no commit, `weights_hash` names its weights.

    `revision` is the branch or commit of a Hub id. Raises ValueError if the Hub does not give the file.
    """
    if isinstance(folder, Path):
        return json.loads((folder / "config.json").read_text(encoding="utf-8")), None
    file = hub_file(folder, "config.json", revision=revision)
    return json.loads(file.read_text(encoding="utf-8")), file.parent.name


def hub_file(repo: str, filename: str, *, revision: str = "main", kind: str = "model") -> Path:
    """One file of a Hub repository (`kind` "model" or "dataset"), from the local cache or downloaded into it.

    A commit is read from the cache if it is there, a branch only if the Hub is out of reach. HF_HUB_OFFLINE, HF_HOME,
    HF_ENDPOINT and HF_TOKEN are those of huggingface_hub. Raises ValueError, within seconds, if the file cannot be had.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    place = {"repo_id": repo, "filename": filename, "revision": revision, "repo_type": kind}
    try:
        cached = Path(hf_hub_download(**place, local_files_only=True))
    except LocalEntryNotFoundError:
        cached = None
    if cached and is_commit(revision):
        return cached
    offline = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else unreachable(constants.ENDPOINT)
    if offline:
        if cached:
            return cached
        raise ValueError(f"{repo} is not in the local cache and {offline}: download it first, or give a local path.")
    try:
        return Path(hf_hub_download(**place))
    except GatedRepoError:
        raise ValueError(f"{repo} is gated: accept its licence on the Hub and set HF_TOKEN.") from None
    except RepositoryNotFoundError:
        raise ValueError(f"{repo} is not on the Hub, or is private: check the id, or set HF_TOKEN.") from None
    except Exception as error:  # the Hub's client passes on errors of whatever HTTP library it is built on
        raise ValueError(f"{repo}: no {filename} at {revision} from the Hub ({type(error).__name__}).") from error


def unreachable(endpoint: str) -> str:
    """Why the Hub cannot be reached, or "". huggingface_hub itself would try again for half a minute."""
    import httpx2

    try:
        httpx2.head(endpoint, timeout=HUB_SECONDS)
    except httpx2.HTTPError as error:
        return f"the Hub cannot be reached ({type(error).__name__})"
    return ""
