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
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from twofold.errors import ModelError
from twofold.models.int8_matrix import Int8Matrix

Tensor = NDArray[np.float32]
Matrix = Tensor | Int8Matrix
"""The weights of a product, or the rows of a table."""

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
    "I8": np.dtype("i1"),
}
IN_INT8 = "model.int8.safetensors"
"""Weights with matrices in int8, in a name that other libraries do not take for weights in float."""
INT8_FIELD, INT8_VERSION = "int8", 1
"""What the metadata of such a file says of it, as JSON, and the version of its form."""
SCALES = ".scales"
"""What is put after the name of an int8 tensor to name the scales of its rows."""
SIZES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
SIZES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where one tensor is stored. kind: its type as safetensors names it; offset: of its first byte in the file."""

    path: Path
    kind: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class NamedBytes:
    """A tensor as it is stored. kind: its type as safetensors names it. content: uint8 (bytes,), in C order."""

    name: str
    kind: str
    shape: tuple[int, ...]
    content: NDArray[np.uint8]

    @classmethod
    def of(cls, name: str, kind: str, values: NDArray[Any]) -> NamedBytes:
        """Of an array whose type is the kind's."""
        return cls(name, kind, values.shape, np.ascontiguousarray(values).reshape(-1).view(np.uint8))


class Weights:
    """The tensors of one or more safetensors files, by name; float32 whatever they are stored in.

    rounded: names of matrices that are rounded to int8 here, beside those that are stored so. A matrix in int8 is
    stored as two tensors, its whole numbers under its name and the scales of its rows under that name and ".scales".
    Raises ModelError where a file is none, where int8 numbers have no scales, or where a tensor is asked for that no
    file has.
    """

    def __init__(self, paths: Sequence[Path], rounded: Collection[str] = ()) -> None:
        self.paths = tuple(paths)
        self._stored: dict[str, _Stored] = {}
        for path in self.paths:
            self._stored.update(_stored_in(path))
        self._rounded = frozenset(rounded)
        self._prefix = ""
        self._expands = False
        for name in self._stored_in_int8:
            self._check_scales(name)

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

    def expanding(self) -> Weights:
        """These weights with every `matrix` in float32, also those in int8."""
        view = copy(self)
        view._expands = True
        return view

    def full_name(self, name: str) -> str:
        """The name of a tensor with all that is put before it."""
        return self._prefix + name

    def __getitem__(self, name: str) -> Tensor:
        """The tensor as float32; a view of the mapped file where it is stored as float32."""
        self._place(name)
        full = self._prefix + name
        matrix = self._in_int8(full)
        return self._floats(full) if matrix is None else matrix.expanded()

    def get(self, name: str) -> Tensor | None:
        """The tensor, or None where there is none of this name."""
        return self[name] if name in self else None  # noqa: SIM401 - Weights is no dict; this is its get

    def matrix(self, name: str) -> Matrix:
        """The tensor in int8 where it is so and not expanded, else as float32."""
        self._place(name)
        matrix = None if self._expands else self._in_int8(self._prefix + name)
        return self[name] if matrix is None else matrix

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape; nothing of it is read. Raises ModelError where there is none of this name."""
        return self._place(name).shape

    @property
    def in_int8(self) -> frozenset[str]:
        """The full names of all matrices in int8: stored so, and rounded here."""
        return self._rounded.union(self._stored_in_int8)

    @property
    def _stored_in_int8(self) -> list[str]:
        return [name for name, each in self._stored.items() if each.kind == "I8"]

    def not_finite(self) -> str | None:
        """The name of the first tensor that holds NaN or an infinity; reads all of them."""
        readable = (name for name, each in sorted(self._stored.items()) if each.kind in READABLE)
        return next((name for name in readable if not np.isfinite(self._floats(name)).all()), None)

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of every tensor's name, type, shape and bytes, in whatever file and order.

        Matrices that are rounded here count as if they were stored so.
        """
        digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
        for each in self.tensors():
            if not each.name.endswith(NOT_WEIGHTS):
                digest.update(f"{each.name} {each.kind} {each.shape}\n".encode())
                digest.update(each.content.data)
        return digest.hexdigest()

    def tensors(self) -> Iterator[NamedBytes]:
        """Every tensor in the order of the names; what is rounded here as it would be stored."""
        scales = {name + SCALES: name for name in self._rounded}
        for name in sorted({*self._stored, *scales}):
            if name in scales:
                yield NamedBytes.of(name, "F32", Int8Matrix.of(self._floats(scales[name])).scales)
            elif name in self._rounded:
                yield NamedBytes.of(name, "I8", Int8Matrix.of(self._floats(name)).numbers)
            else:
                each = self._stored[name]
                size = math.prod(each.shape) * SIZES[each.kind]
                yield NamedBytes(name, each.kind, each.shape, _mapped(each, np.dtype(np.uint8), (size,)))

    def _place(self, name: str) -> _Stored:
        """Where a tensor is. Raises ModelError where there is none of this name."""
        if name not in self:
            files = ", ".join(str(path) for path in self.paths)
            raise ModelError(f"the tensor {self._prefix + name!r} is missing from {files}; is this the whole model?")
        return self._stored[self._prefix + name]

    def _floats(self, full: str) -> Tensor:
        """A tensor that is not stored in int8, by its full name; one in int8 as its whole numbers."""
        found = self._stored[full]
        if found.kind not in READABLE:
            raise ModelError(
                f"{found.path}: the tensor {full!r} has the type {found.kind}, not one of {', '.join(READABLE)}"
            )
        stored = _mapped(found, READABLE[found.kind], found.shape)
        if found.kind == "BF16":
            return np.asarray((stored.astype(np.uint32) << 16).view(np.float32))
        return stored if found.kind == "F32" else stored.astype(np.float32)

    def _in_int8(self, full: str) -> Int8Matrix | None:
        """The matrix of this full name, None where it is in float."""
        if full in self._rounded:
            return Int8Matrix.of(self._floats(full))
        found = self._stored[full]
        if found.kind != "I8":
            return None
        return Int8Matrix(_mapped(found, READABLE["I8"], found.shape), self._floats(full + SCALES))

    def _check_scales(self, full: str) -> None:
        """Raises ModelError where whole numbers have no scale for each row."""
        numbers, scales = self._stored[full], self._stored.get(full + SCALES)
        if scales is None:
            raise ModelError(
                f"{numbers.path}: the tensor {full!r} is in int8, and {full + SCALES!r}, the scales of its rows, is "
                "missing; `twofold quantize MODEL --to FOLDER` writes both, other forms of int8 are not read"
            )
        if len(numbers.shape) != 2 or (scales.kind, scales.shape) != ("F32", numbers.shape[:1]):
            raise ModelError(
                f"{scales.path}: the scales {full + SCALES!r} are {scales.kind} {scales.shape}, and F32 "
                f"{numbers.shape[:1]} are expected, one for each row of {full!r}, {numbers.shape}"
            )
        values = self._floats(full + SCALES)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ModelError(
                f"{scales.path}: the scales {full + SCALES!r} hold numbers that are none or below zero; make the "
                "folder again: `twofold quantize MODEL --to FOLDER`"
            )


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder: one, or the shards that its index names. Raises ModelError."""
    index = folder / "model.safetensors.index.json"
    for single in (folder / "model.safetensors", folder / IN_INT8):
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


def _check_version(path: Path, said: str | None) -> None:
    """said: what the metadata say of int8, None where nothing. Raises ModelError for a form that is not known."""
    if said is None:
        return
    try:
        version = json.loads(said)["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: its metadata say nothing that can be read of its int8: {error!r}") from error
    if version != INT8_VERSION:
        raise ModelError(
            f"{path}: its int8 is of version {version!r}, and {INT8_VERSION} is known; make the folder again with "
            "this version: `twofold quantize MODEL --to FOLDER`"
        )


def _mapped(stored: _Stored, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The bytes of a tensor as an array.

    Mapped as private: OpenVINO takes only arrays that could be written. Nobody writes, so no page is copied.
    """
    if not math.prod(shape):
        return np.zeros(shape, dtype=kind)
    return np.asarray(np.memmap(stored.path, dtype=kind, mode="c", offset=stored.offset, shape=shape))


def _stored_in(path: Path) -> dict[str, _Stored]:
    """Where each tensor of one file is stored, by name."""
    try:
        with path.open("rb") as file:
            offset = HEADER_LENGTH_BYTES + int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        stored = {}
        with safe_open(path, framework="np") as tensors:
            _check_version(path, (tensors.metadata() or {}).get(INT8_FIELD))
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
