"""The model hub, through huggingface_hub's cache."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import constants, scan_cache_dir, snapshot_download
from huggingface_hub.errors import CacheNotFound, HFValidationError, LocalEntryNotFoundError

from twofold.errors import ModelError
from twofold.models.architectures import is_known, text_part
from twofold.models.configuration import Configuration
from twofold.models.exported import FILES, exported_file
from twofold.models.three_heads import ENDINGS, MULTI, SPARSE

SETTINGS = ["*.json", "*.jinja", "vocab.txt", "[0-9]_*/*.json"]
SETTINGS += [f"{name}{ending}" for name in (MULTI, SPARSE) for ending in ENDINGS]
"""What every model needs here, by file name: the heads of BGE-M3, which are small, are among it."""
TENSORS = ["model*.safetensors", "[0-9]_*/*.safetensors"]
"""What a model of a known architecture needs as well; other weights (pickles, TensorFlow's) stay on the hub."""
EXPORTED = [
    "[0-9]_*/*.safetensors",
    *FILES,
    *(name.replace(".xml", ".bin") for name in FILES if name.endswith(".xml")),
    *(f"{name}[_.]data" for name in FILES if name.endswith(".onnx")),
]
"""What a model of another architecture needs, or one whose tensors are not on the hub."""


TABLE = "model2vec"
"""model_type of a table of rows for tokens, where it has a config.json."""


def folder_from_hub(name: str, *, bare: bool = False) -> Path:
    """The folder of a hub model: the cached copy where there is a whole one, else fetched.

    A cached copy is used without checking the hub for a newer one: a contract should not change by itself. bare: a
    copy without modules.json will do where the hub cannot be reached, as the older cross-encoders have none.
    Raises ModelError where the name is none, or is not cached and the hub cannot be reached.
    """
    cached = cached_folder(name)
    if cached is not None and _has_weights(cached):
        return cached
    try:
        folder = Path(snapshot_download(name, allow_patterns=SETTINGS))
        for weights in ([TENSORS] if _is_built(folder) else []) + [EXPORTED]:
            if not _has_weights(folder):
                snapshot_download(name, allow_patterns=[*SETTINGS, *weights])
        return folder
    except Exception as error:
        if cached is not None:
            return cached  # whole but for a graph of its unknown architecture, which its reader says
        if bare and (copied := _cached(name)) is not None and _has_weights(copied):
            return copied
        cause = str(error).strip().split("\n")[0]
        whole = "" if "/" in name else f" Most names have an owner, as in 'sentence-transformers/{name}'."
        raise ModelError(
            f"the model {name!r} is not in the hub's cache and cannot be fetched ({type(error).__name__}: {cause}). "
            f"Connect to the hub once, or give the path of a folder that holds the model.{whole}"
        ) from error


def cached_folder(name: str) -> Path | None:
    """The whole cached copy of a hub model; None where there is none. Raises ModelError where the name is none."""
    cached = _cached(name)
    return cached if cached is not None and _whole(cached) else None


def _cached(name: str) -> Path | None:
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        raise ModelError(f"{name!r} is neither a folder nor a name on the hub ({error})") from error
    except LocalEntryNotFoundError:
        return None


def cached_names() -> list[str]:
    """The hub names of all models of which the cache holds files, in order. Raises ModelError where it is no folder."""
    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return []
    except (ValueError, NotADirectoryError) as error:
        raise ModelError(f"the hub's cache {constants.HF_HUB_CACHE} is no folder; set HF_HUB_CACHE to one") from error
    return sorted(each.repo_id for each in repositories if each.repo_type == "model")


def _whole(folder: Path) -> bool:
    """Whether a cached copy has layers, configuration and weights.

    Other libraries fetch what they need: transformers leaves out modules.json and the pooling, and with them it is
    another encoder.
    """
    return all(any(folder.rglob(name)) for name in ("modules.json", "config.json")) and (
        _has_weights(folder) or any(folder.rglob("*.safetensors"))
    )


def _is_built(folder: Path) -> bool:
    """Whether the model's tensors are used here: those of a known architecture, or a table of rows for tokens."""
    said = text_part(Configuration.read_if_there(folder / "config.json"))
    return is_known(said) or said.values.get("model_type", TABLE) == TABLE


def _has_weights(folder: Path) -> bool:
    own = "model*.safetensors" if (folder / "config.json").is_file() else "**/*.safetensors"
    return exported_file(folder) is not None or (_is_built(folder) and any(folder.glob(own)))
