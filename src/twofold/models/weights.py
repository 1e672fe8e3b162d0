"""The tensors of safetensors files, read where they lie.

A file is mapped, not read: the pages belong to the file, so a model adds little to the memory that is the process's
own. The safetensors library checks the file's header; it guarantees that the tensors follow one another without gaps,
and that is how their places are known here.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from twofold.errors import ModelError

Tensor = NDArray[np.float32]

HEADER_LENGTH_BYTES = 8
FINGERPRINT_BYTES = 16
NOT_WEIGHTS = ("position_ids",)
"""Ends of the names of tensors that only count 0, 1, 2, …; some versions write them and some do not."""
READABLE: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
SIZES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
SIZES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where one tensor is stored. kind: its type as safetensors names it; offset: of its first byte in the file."""

    path: Path
    kind: str
    shape: tuple[int, ...]
    offset: int


class Weights:
    """The tensors of one or more safetensors files, by name; float32 whatever they are stored in.

    Raises ModelError where a file is none, or where a tensor is asked for that no file has.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._stored: dict[str, _Stored] = {}
        for path in self.paths:
            self._stored.update(_stored_in(path))
        self._prefix = ""

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._stored

    def under_first_of(self, prefixes: Sequence[str], name: str) -> Weights:
        """These weights under the first of `prefixes` under which `name` exists; under none where there is no such."""
        return self.under(next((prefix for prefix in prefixes if prefix + name in self), ""))

    def under(self, prefix: str) -> Weights:
        """These weights with `prefix` put before every name asked for."""
        view = copy(self)
        view._prefix = self._prefix + prefix
        return view

    def __getitem__(self, name: str) -> Tensor:
        """The tensor as float32; a view of the mapped file where it is stored as float32."""
        if name not in self:
            files = ", ".join(str(path) for path in self.paths)
            raise ModelError(f"the tensor {self._prefix + name!r} is missing from {files}; is this the whole model?")
        found = self._stored[self._prefix + name]
        if found.kind not in READABLE:
            raise ModelError(
                f"{found.path}: the tensor {self._prefix + name!r} has the type {found.kind}, "
                f"not one of {', '.join(READABLE)}"
            )
        if not math.prod(found.shape):
            return np.zeros(found.shape, dtype=np.float32)
        # Mapped as private: OpenVINO takes only arrays that could be written. Nobody writes, so no page is copied.
        stored = np.memmap(found.path, dtype=READABLE[found.kind], mode="c", offset=found.offset, shape=found.shape)
        if found.kind == "BF16":
            return np.asarray((stored.astype(np.uint32) << 16).view(np.float32))
        return np.asarray(stored) if found.kind == "F32" else stored.astype(np.float32)

    def get(self, name: str) -> Tensor | None:
        """The tensor, or None where there is none of this name."""
        return self[name] if name in self else None  # noqa: SIM401 - Weights is no dict; this is its get

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape; nothing of it is read. Raises ModelError where there is none of this name."""
        return self[name].shape

    def not_finite(self) -> str | None:
        """The name of the first tensor that holds NaN or an infinity; reads all of them."""
        whole = copy(self)
        whole._prefix = ""
        readable = (name for name, each in sorted(self._stored.items()) if each.kind in READABLE)
        return next((name for name in readable if not np.isfinite(whole[name]).all()), None)

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of every tensor's name, type, shape and bytes, in whatever file and order."""
        digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
        for name, each in sorted(self._stored.items()):
            if name.endswith(NOT_WEIGHTS):
                continue
            digest.update(f"{name} {each.kind} {each.shape}\n".encode())
            if size := math.prod(each.shape) * SIZES[each.kind]:
                digest.update(np.memmap(each.path, dtype=np.uint8, mode="r", offset=each.offset, shape=(size,)).data)
        return digest.hexdigest()


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder: one, or the shards that its index names. Raises ModelError."""
    single = folder / "model.safetensors"
    index = folder / "model.safetensors.index.json"
    if single.is_file():
        return (single,)
    if index.is_file():
        return tuple(folder / shard for shard in _shards(index))
    other = next((path.name for path in sorted(folder.glob("*.bin"))), None)
    hint = f" (there is a {other}: save the model again with safe_serialization=True)" if other else ""
    raise ModelError(f"{folder} holds no model.safetensors{hint}")


def _shards(index: Path) -> list[str]:
    try:
        files = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return sorted(os.fspath(file) for file in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} has no weight_map that says which file holds each tensor: {error!r}") from error


def _stored_in(path: Path) -> dict[str, _Stored]:
    """Where each tensor of one file is stored, by name."""
    try:
        with path.open("rb") as file:
            offset = HEADER_LENGTH_BYTES + int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        stored = {}
        with safe_open(path, framework="np") as tensors:
            for name in tensors.offset_keys():
                view = tensors.get_slice(name)
                # Checkpoints converted from TensorFlow call a norm's tensors so; transformers renames them as well.
                known = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
                kind, shape = view.get_dtype(), tuple(view.get_shape())
                if kind not in SIZES:
                    raise ModelError(f"{path}: the tensor {name!r} has the unknown type {kind}")
                stored[known] = _Stored(path, kind, shape, offset)
                offset += math.prod(shape) * SIZES[kind]
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    return stored
