"""The heads of BGE-M3 beside its transformer: a vector a token, and a weight a token (Chen et al. 2024).

FlagEmbedding saves each as a linear layer of the tokens' states, in `colbert_linear.pt` and `sparse_linear.pt`. The
third head, the vector of the whole text, is the state of the first token and has no tensors. The tensors may also stand
in `colbert_linear.safetensors` and `sparse_linear.safetensors`, as `weight` and `bias`; these are read where both are.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twofold.errors import ModelError
from twofold.models.devices import has_torch
from twofold.models.layers import Dense
from twofold.models.weights import Tensor, Weights

MULTI, SPARSE = "colbert_linear", "sparse_linear"
ENDINGS = (".safetensors", ".pt")
"""In the order in which they are looked for."""


class TokenHeads(NamedTuple):
    """multi: gives a token's vector. sparse: gives its weight, before what is below zero becomes zero."""

    multi: Dense
    sparse: Dense


def has_heads(path: Path) -> bool:
    """Whether a folder holds a head of BGE-M3."""
    return any((path / (name + ending)).is_file() for name in (MULTI, SPARSE) for ending in ENDINGS)


def read_heads(path: Path, width: int) -> TokenHeads:
    """The heads of a folder. width: numbers a state. Raises ModelError where one is missing or takes other states."""
    heads = TokenHeads(_linear(path, MULTI, width), _linear(path, SPARSE, width))
    if (rows := len(heads.sparse.weight)) != 1:
        raise ModelError(f"{path}: {SPARSE} gives {rows} numbers a token, and a weight is one")
    return heads


def side_by_side(heads: TokenHeads, width: int) -> Dense:
    """One layer of all that a text needs of a state: the token's vector, its weight, and the state as it is."""
    bias = [_bias(each) for each in heads] + [np.zeros(width, np.float32)]
    weight = np.concatenate([heads.multi.weight, heads.sparse.weight, np.eye(width, dtype=np.float32)])
    return Dense(weight, np.concatenate(bias), "identity", False, None, _fingerprint(heads))


def _bias(head: Dense) -> Tensor:
    return np.zeros(len(head.weight), np.float32) if head.bias is None else head.bias


def _fingerprint(heads: TokenHeads) -> str:
    return " ".join(each.fingerprint for each in heads)


def _linear(path: Path, name: str, width: int) -> Dense:
    file = next((path / (name + ending) for ending in ENDINGS if (path / (name + ending)).is_file()), None)
    if file is None:
        raise ModelError(f"{path} holds a head of BGE-M3, and {name}.safetensors or {name}.pt is missing")
    weight, bias = _tensors(file)
    if weight.ndim != 2 or weight.shape[1] != width or (bias is not None and bias.shape != weight.shape[:1]):
        raise ModelError(
            f"{file}: weight and bias have the shapes {weight.shape} and {None if bias is None else bias.shape}, and a "
            f"token's state {width} numbers"
        )
    digest = hashlib.blake2b(digest_size=16)
    for each in (weight, bias):
        # Of the numbers alone: the same head has the same fingerprint in either form.
        digest.update(f"{None if each is None else each.shape}\n".encode())
        digest.update(b"" if each is None else np.ascontiguousarray(each, "<f4").tobytes())
    return Dense(weight, bias, "identity", False, None, digest.hexdigest())


def _tensors(file: Path) -> tuple[Tensor, Tensor | None]:
    if file.suffix == ".safetensors":
        weights = Weights([file])
        return weights["weight"], weights.get("bias")
    if not has_torch():
        raise ModelError(
            f"{file} is read by torch, which is not installed: pip install torch. Or save its tensors, weight and "
            f"bias, as {file.with_suffix('.safetensors').name} beside it"
        )
    from twofold.models.torch_tensors import torch_tensors

    tensors = torch_tensors(file)
    if "weight" not in tensors:
        raise ModelError(f"{file} holds the tensors {sorted(tensors)}, and none is called weight")
    return tensors["weight"], tensors.get("bias")
