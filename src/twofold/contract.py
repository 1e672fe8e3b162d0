"""The contract: everything that determines a vector.

Two encoders with equal contracts make vectors that may be compared; vectors of two contracts never meet. A collection
keeps the contract it was made with, and the vectors of a few probe texts, which catch a runtime or library that bends
the space although every field agrees.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from twofold.difference import Difference
from twofold.errors import InputError
from twofold.scores import Similarity, Vectors, unit_vectors

Side = Literal["query", "document"]
Context = Literal["none", "title", "headings", "document"]
"""What a passage of a longer document is encoded with: nothing else (the first one with the title), the title, the
title and the headings under which it stands, or the document around it (late chunking).
"""
USUAL_CONTEXT: Context = "title"

QUERY_SIDE = ("query_prompt", "query_tower")
"""Fields of a contract by which no document's vector changes."""
OUTSIDE = ("query_tower", "context")
"""Fields that do not tell two encoders apart: a query tower is made for one space and checked against it when it is
loaded, and a context is put around passages by the collection."""
UNSAID = {"quantization": "", "context": USUAL_CONTEXT}
"""Fields that are not stored where they have these values: contracts were stored, and query towers made for their
spaces, without them."""

PROBE_TEXTS = (
    "water",
    "Who wrote the first compiler?",
    "The mitochondrion is the powerhouse of the cell.",
    "def add(a, b): return a + b",
    "Die Würde des Menschen ist unantastbar.",
    "東京は日本の首都です。",
    "3.14159 2.71828 1.41421",
    "In 1969, after eight years of preparation, two people walked on the Moon while a third waited in orbit.",
)
PROBE_COSINE = 0.999
"""bf16 stays above .9995 of f32; another model, pooling or prompt falls far below."""
INT8_PROBE_COSINE = 0.99
"""For weights in int8, as their inputs are rounded on one processor and not on another, or after other roundings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that determines a vector: vectors of equal contracts can be compared.

    weights, tokenizer: fingerprints (hex digests of content). dimension: numbers a vector. pooling: how token states
    become one vector ("mean", "cls", …). layers: those after the pooling ("normalize", "dense tanh", …), in order.
    similarity: how vectors are compared, "cosine" or "dot". max_tokens: the longest input, special tokens included.
    query_prompt, document_prompt: text put before each input. query_tower: fingerprint of a tower of its own that
    encodes queries into this space; empty where there is none. quantization: "int8" where weights were rounded so,
    else empty. context: what the passages of a space are encoded with; an encoder's own contract has the usual one.
    Raises InputError for a field of another type.
    """

    weights: str
    tokenizer: str
    dimension: int
    pooling: str
    layers: tuple[str, ...] = ()
    similarity: Similarity = "cosine"
    query_prompt: str = ""
    document_prompt: str = ""
    max_tokens: int
    query_tower: str = ""
    quantization: str = ""
    context: Context = USUAL_CONTEXT

    def __post_init__(self) -> None:
        for name in (
            "weights",
            "tokenizer",
            "pooling",
            "query_prompt",
            "document_prompt",
            "query_tower",
            "quantization",
        ):
            if not isinstance(value := getattr(self, name), str):
                raise InputError(f"the {name} of a contract is a text, not {value!r}")
        for name, least in (("dimension", 1), ("max_tokens", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"the {name} of a contract is a whole number of at least {least}, not {value!r}")
        if not isinstance(self.layers, tuple) or not all(isinstance(layer, str) for layer in self.layers):
            raise InputError(f"the layers of a contract are a tuple of texts, not {self.layers!r}")
        if self.similarity not in get_args(Similarity):
            raise InputError(f"the similarity of a contract is cosine or dot, not {self.similarity!r}")
        if self.context not in get_args(Context):
            raise InputError(f"the context of passages is one of {', '.join(get_args(Context))}, not {self.context!r}")

    @property
    def probe_cosine(self) -> float:
        """The least cosine between the vectors of a probe text when a collection was made and now."""
        return INT8_PROBE_COSINE if self.quantization else PROBE_COSINE

    @property
    def space(self) -> str:
        """A hex digest of everything that determines where documents lie; a query tower names the space that it was
        made for.
        """
        values = {name: value for name, value in self.to_json().items() if name not in QUERY_SIDE}
        return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16).hexdigest()

    def differences(self, other: Contract) -> tuple[Difference, ...]:
        """Every field in which the encoder of `other` differs from that of this contract, but for OUTSIDE; empty where
        their vectors may be compared.
        """
        return tuple(
            Difference(field.name, getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.name not in OUTSIDE and getattr(self, field.name) != getattr(other, field.name)
        )

    def to_json(self) -> dict[str, Any]:
        """The contract as JSON values, UNSAID ones left out; `from_json` gives an equal one back."""
        values = {**asdict(self), "layers": list(self.layers)}
        return {name: value for name, value in values.items() if name not in UNSAID or value != UNSAID[name]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Contract:
        """The contract that `to_json` wrote."""
        return cls(**{**values, "layers": tuple(values["layers"])})


@dataclass(frozen=True, slots=True)
class Probes:
    """The vectors of PROBE_TEXTS on each side, as the encoder made them when the collection was new.

    query, document: float32 (8, dimension).
    """

    query: Vectors
    document: Vectors

    def lowest_cosine(self, side: Side, vectors: Vectors) -> float:
        """The smallest cosine between the kept probes of a side and those made now."""
        kept = self.query if side == "query" else self.document
        has_direction = kept.any(axis=1) & vectors.any(axis=1)
        # An encoder may make nothing of a text: two zero vectors are the same, and no other vector is like one.
        cosines = np.where(kept.any(axis=1) == vectors.any(axis=1), np.float32(1), np.float32(0))
        then, now = unit_vectors(kept[has_direction]), unit_vectors(vectors[has_direction])
        cosines[has_direction] = np.einsum("ij,ij->i", then, now)
        return float(cosines.min())

    def to_json(self) -> dict[str, str]:
        """Both sides as base64 of little-endian float32."""
        return {
            side: base64.b64encode(vectors.astype("<f4").tobytes()).decode()
            for side, vectors in (("query", self.query), ("document", self.document))
        }

    @classmethod
    def from_json(cls, values: Mapping[str, str]) -> Probes:
        """The probes that `to_json` wrote."""
        return cls(*(_vectors_of(values[side]) for side in ("query", "document")))


def _vectors_of(text: str) -> Vectors:
    flat = np.frombuffer(base64.b64decode(text), dtype="<f4")
    return flat.reshape(len(PROBE_TEXTS), -1).astype(np.float32)
