"""Files that `torch.save` wrote, read as tensors and nothing else: no code in them is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from twofold.errors import ModelError
from twofold.models.weights import Tensor

SAFE_SINCE = (2, 6)
"""Since this version of torch `weights_only` keeps its promise for every form of these files (CVE-2025-32434)."""


def torch_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, as float32. Raises ModelError for one with other content, and for an old torch."""
    if torch.__version__ < SAFE_SINCE:  # its type compares with tuples of numbers
        raise ModelError(
            f"{path} is read safely by torch {'.'.join(map(str, SAFE_SINCE))} and later, and {torch.__version__} is "
            f"installed; update it, or save the tensors as {path.with_suffix('.safetensors').name}"
        )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of many classes for what is no file of its own
        raise ModelError(
            f"{path} cannot be read as tensors alone, and other content is never loaded ({type(error).__name__}: "
            f"{str(error).strip().splitlines()[0] if str(error).strip() else 'no message'})"
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise ModelError(f"{path} holds no tensors by name, but {type(found).__name__}")
    return {str(name): np.ascontiguousarray(each.detach().to(torch.float32).numpy()) for name, each in found.items()}
