"""The encoder that keeps a vector for each token, for late interaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract, Side
from twofold.encoders.texts import add_to, check_texts
from twofold.encoders.token_inputs import TokenInputs
from twofold.errors import InputError
from twofold.logs import logger_of
from twofold.maxsim import TokenVectors
from twofold.models.devices import CPU
from twofold.models.locating import DEFAULT_NAME, find_model
from twofold.models.token_folder import TokenFolder, TokenPooling, read_token_folder
from twofold.models.token_model import TokenModel
from twofold.models.token_pooling import merged
from twofold.reports import EncodingReport

logger = logger_of(__name__)


class TokenEncoder:
    """A transformer whose token states are the vectors, behind the linear layers of a late-interaction model.

    A text's vectors have the same bits alone and in any batch. pooling: by how much fewer vectors a document's are
    merged into, in place of what the folder says; 1 merges none. Any number of threads may encode at once.
    """

    def __init__(
        self,
        name: str | Path | None = None,
        *,
        precision: str = "auto",
        threads: int | None = None,
        pooling: float | None = None,
        device: str = CPU,
    ) -> None:
        self._found = find_model(name, bare=True)
        folder = read_token_folder(self._found.folder)
        if pooling is not None:
            if not isinstance(pooling, int | float) or isinstance(pooling, bool) or not pooling >= 1:
                raise InputError(f"token pooling is a factor of at least 1, not {pooling!r}")
            folder = replace(folder, pooling=TokenPooling(float(pooling), 1, True, ("document",)))
        self._folder = folder
        self._asked_pooling = pooling
        self._model = TokenModel(folder, precision=precision, threads=threads, device=device)
        self._inputs = TokenInputs(folder)
        self._inputs.refuse_beyond(self._model.rows)
        logger.debug("loaded %s, %s", folder.path, self._model.precision)

    def __repr__(self) -> str:
        return f"<TokenEncoder {self.name}: {self.dimension} numbers a token, {self.precision}>"

    @property
    def name(self) -> str:
        """The hub name, that of the embedded model, or the name of the folder."""
        source = self._found.source
        if source is None:
            return DEFAULT_NAME
        return self._folder.path.name if Path(source).is_absolute() else source

    @property
    def folder(self) -> TokenFolder:
        """The settings that were read from the model's folder."""
        return self._folder

    @property
    def precision(self) -> str:
        """How the numbers are computed: "f32" or "bf16"."""
        return self._model.precision

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return self._folder.dimension

    @property
    def source(self) -> dict[str, Any]:
        """The kind, where the model is, as `TransformerEncoder.source` says it, and the pooling where it was given."""
        given = {} if self._asked_pooling is None else {"pooling": float(self._asked_pooling)}
        return {"kind": "token vectors", "name": self._found.source, **given}

    @cached_property
    def contract(self) -> Contract:
        """Everything that determines the vectors; the weights are read once, at the first call."""
        folder = self._folder
        rules: dict[str, Any] = {
            "lengths": dict(folder.lengths),
            "expansion": None if folder.expansion is None else repr(folder.expansion),
            "skipped": [list(folder.skipped), list(folder.skipped_sides)],
            "markers": dict(folder.markers),
            "pooling": None if folder.pooling is None else repr(folder.pooling),
        }
        if folder.drops_first:
            rules["drops first"] = True  # said where it is so: contracts that are stored without it stay as they are
        return Contract(
            weights=self._model.fingerprint,
            tokenizer=self._inputs.fingerprint,
            dimension=self.dimension,
            pooling=f"tokens {json.dumps(rules, sort_keys=True)}",
            layers=(*map(str, folder.layers), *(["normalize"] if folder.normalizes else [])),
            similarity="cosine" if folder.normalizes else "dot",
            query_prompt=folder.prompts["query"],
            document_prompt=folder.prompts["document"],
            max_tokens=folder.lengths["document"],
        )

    @property
    def token_limit(self) -> int:
        """The most tokens of a document input, without special tokens and the document prompt."""
        return self._inputs.token_limit

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters; nothing is truncated."""
        return self._inputs.spans(texts)

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> TokenVectors:
        """The vectors of each query's tokens, and of what it is expanded by. Raises InputError."""
        return self._encode(texts, "query", report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> TokenVectors:
        """The vectors of each document's tokens, but for those that are skipped. Raises InputError."""
        return self._encode(texts, "document", report)

    def _encode(self, texts: Sequence[str], side: Side, report: EncodingReport | None) -> TokenVectors:
        check_texts(texts)
        counts = EncodingReport()
        pooling = self._folder.pooling
        pools = pooling is not None and side in pooling.sides
        made: list[Any] = [None] * len(texts)
        for position, vectors in self._model.vectors(self._inputs.of(texts, side, counts)):
            made[position] = merged(vectors, pooling) if pools and pooling is not None else vectors
        if report is not None:
            add_to(report, counts)
        whole = np.concatenate(made) if made else np.empty((0, self.dimension), np.float32)
        return TokenVectors(whole, np.array([len(vectors) for vectors in made], np.int64))


def load_token_encoder(
    name: str | Path | None = None,
    *,
    precision: str = "auto",
    threads: int | None = None,
    pooling: float | None = None,
    device: str = CPU,
) -> TokenEncoder:
    """An encoder of a vector a token: a folder or hub name of a ColBERT of PyLate, sentence-transformers or Stanford,
    of BGE-M3 (its multi-vector head), or of any encoder, whose token states serve as they come; None is the embedded
    default.

    precision: "auto" is bf16 where the processor has it, else f32. threads: None takes all cores. pooling: merge a
    document's vectors into so many times fewer. device: where it runs, as `load_encoder` has it. Raises ModelError for
    a model that cannot be used, InputError.
    """
    return TokenEncoder(name, precision=precision, threads=threads, pooling=pooling, device=device)
