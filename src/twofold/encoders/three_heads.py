"""The encoder of BGE-M3's three heads: a text's vector, a weight for each of its tokens, and a vector for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twofold.contract import Side
from twofold.encoders.texts import add_to, check_texts
from twofold.encoders.token_inputs import TokenInputs, special_tokens
from twofold.errors import ModelError
from twofold.maxsim import TokenVectors
from twofold.models.devices import CPU
from twofold.models.layers import unit_length
from twofold.models.locating import find_model
from twofold.models.three_heads import side_by_side
from twofold.models.token_folder import read_token_folder
from twofold.models.token_model import TokenInput, TokenModel
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Scores, Vectors

WITHOUT_WEIGHT = {"cls_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
"""Tokens that say nothing of a text, and what XLM-RoBERTa calls them where the folder does not say."""


class TokenWeights(NamedTuple):
    """The sparse vector of a text. tokens: int64 (n,), numbers of its different tokens, rising. weights: float32 (n,),
    above 0: of each token the largest in the text.
    """

    tokens: Numbers
    weights: Scores


@dataclass(frozen=True, slots=True)
class HeadVectors:
    """What the heads say of n texts. dense: float32 (n, width), of unit length. sparse: n. tokens: of n texts, each
    vector of unit length.
    """

    dense: Vectors
    sparse: list[TokenWeights]
    tokens: TokenVectors


class ThreeHeadEncoder:
    """BGE-M3 with all of its heads, from one pass of the transformer (Chen et al. 2024).

    A text's numbers have the same bits alone and in any batch. Any number of threads may encode at once.
    """

    def __init__(
        self, name: str | Path, *, precision: str = "auto", threads: int | None = None, device: str = CPU
    ) -> None:
        self._found = find_model(name, bare=True)
        folder = read_token_folder(self._found.folder)
        if folder.heads is None:
            raise ModelError(f"{folder.path} has no colbert_linear and sparse_linear, the heads of BGE-M3")
        self._folder = folder
        self._width = folder.network.width
        layer = side_by_side(folder.heads, self._width)
        whole = replace(folder, layers=(layer,), normalizes=False, drops_first=False)
        self._model = TokenModel(whole, precision=precision, threads=threads, device=device)
        self._inputs = TokenInputs(whole)
        self._inputs.refuse_beyond(self._model.rows)
        named = [token for field, usual in WITHOUT_WEIGHT.items() for token in self._called(field, usual)]
        self._without_weight = [number for token in named if (number := self._inputs.number_of(token)) is not None]

    def __repr__(self) -> str:
        return f"<ThreeHeadEncoder {self.name}: {self.precision}>"

    @property
    def name(self) -> str:
        """The hub name, or the name of the folder."""
        source = self._found.source
        return self._folder.path.name if source is None or Path(source).is_absolute() else source

    @property
    def precision(self) -> str:
        """How the numbers are computed: "f32" or "bf16"."""
        return self._model.precision

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> HeadVectors:
        """What the heads say of queries. Raises InputError."""
        return self._encode(texts, "query", report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> HeadVectors:
        """What the heads say of documents. Raises InputError."""
        return self._encode(texts, "document", report)

    def _encode(self, texts: Sequence[str], side: Side, report: EncodingReport | None) -> HeadVectors:
        check_texts(texts)
        counts, ids = EncodingReport(), list[list[int]]()

        def noted() -> Iterator[TokenInput]:
            for each in self._inputs.of(texts, side, counts):
                ids.append(each.ids)
                yield each

        narrow = self._folder.dimension
        dense = np.empty((len(texts), self._width), np.float32)
        sparse: list[TokenWeights | None] = [None] * len(texts)
        tokens: list[Vectors] = [np.empty((0, narrow), np.float32)] * len(texts)
        for position, rows in self._model.vectors(noted()):
            dense[position] = unit_length(rows[:1, narrow + 1 :])[0]
            sparse[position] = self._largest(ids[position], rows[:, narrow])
            tokens[position] = unit_length(rows[1:, :narrow])
        if report is not None:
            add_to(report, counts)
        whole = np.concatenate(tokens) if tokens else np.empty((0, narrow), np.float32)
        lengths = np.array([len(each) for each in tokens], np.int64)
        return HeadVectors(dense, [each for each in sparse if each is not None], TokenVectors(whole, lengths))

    def _largest(self, ids: Sequence[int], weights: Scores) -> TokenWeights:
        """The weight of each different token that has one."""
        tokens, places = np.unique(np.array(ids, np.int64), return_inverse=True)
        largest = np.zeros(len(tokens), np.float32)
        np.maximum.at(largest, places, weights)  # what is below zero stays zero
        kept = (largest > 0) & ~np.isin(tokens, self._without_weight)
        return TokenWeights(tokens[kept], largest[kept])

    def _called(self, field: str, usual: str) -> list[str]:
        return special_tokens(self._folder.transformer, field) or [usual]
