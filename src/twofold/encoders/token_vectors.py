"""The encoder that keeps a vector for each token, for late interaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract, Side
from twofold.encoders.texts import add_to, check_texts
from twofold.errors import InputError, ModelError
from twofold.logs import logger_of
from twofold.maxsim import TokenVectors
from twofold.models.configuration import Configuration
from twofold.models.devices import CPU
from twofold.models.locating import DEFAULT_NAME, find_model
from twofold.models.token_folder import SIDES, TokenFolder, TokenPooling, read_token_folder
from twofold.models.token_model import TokenInput, TokenModel
from twofold.models.token_pooling import merged
from twofold.models.tokenizing import Tokenizing
from twofold.reports import EncodingReport
from twofold.values import without_surrogates

BLOCK = 128
"""Texts tokenised at a time, while the batches before them run."""

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
        self._markers = dict.fromkeys(SIDES, None) | self._read_markers()
        self._tokenizing = {side: self._tokenizing_of(side) for side in SIDES}
        self._tokenizing["document"].refuse_beyond(self._model.rows, folder.configuration.path)
        self._skipped = self._read_skipped()
        self._expanding = self._read_expanding()
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
        rules = {
            "lengths": dict(folder.lengths),
            "expansion": None if folder.expansion is None else repr(folder.expansion),
            "skipped": [list(folder.skipped), list(folder.skipped_sides)],
            "markers": dict(folder.markers),
            "pooling": None if folder.pooling is None else repr(folder.pooling),
        }
        return Contract(
            weights=self._model.fingerprint,
            tokenizer=self._tokenizing["document"].fingerprint,
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
        tokenizing, prompt = self._tokenizing["document"], self._folder.prompts["document"]
        taken = tokenizing.count(prompt) if prompt else 0
        return tokenizing.max_tokens - tokenizing.special_tokens - taken

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters; nothing is truncated."""
        return self._tokenizing["document"].spans(texts)

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
        for position, vectors in self._model.vectors(self._inputs(texts, side, counts)):
            made[position] = merged(vectors, pooling) if pools and pooling is not None else vectors
        if report is not None:
            add_to(report, counts)
        whole = np.concatenate(made) if made else np.empty((0, self.dimension), np.float32)
        return TokenVectors(whole, np.array([len(vectors) for vectors in made], np.int64))

    def _inputs(self, texts: Sequence[str], side: Side, counts: EncodingReport) -> Iterator[TokenInput]:
        for start in range(0, len(texts), BLOCK):
            block = []
            for text in texts[start : start + BLOCK]:
                whole, replaced = without_surrogates(text)
                counts.surrogates += replaced
                block.append(self._folder.prompts[side] + whole)
            for position, tokenized in enumerate(self._tokenizing[side].tokens(block), start):
                if tokenized.lost:
                    counts.cut[position] = tokenized.lost
                made = self._input(tokenized.ids, side, tokenized.lost)
                counts.texts += 1
                counts.tokens += len(made.ids)
                yield made

    def _input(self, ids: list[int], side: Side, lost: int) -> TokenInput:
        marker = self._markers[side]
        if marker is not None:
            ids = [*ids[:1], marker, *ids[1:]]
        attended = len(ids)
        if side == "query" and (expansion := self._folder.expansion) is not None:
            ids = ids + [self._expanding] * (expansion.length - len(ids))
            attended = len(ids) if expansion.attends else attended
        kept = np.ones(len(ids), dtype=np.bool_)
        if side in self._folder.skipped_sides and len(self._skipped):
            kept = ~np.isin(ids, self._skipped)
        return TokenInput(ids, attended, kept, lost)

    def _tokenizing_of(self, side: Side) -> Tokenizing:
        folder = self._folder
        length = folder.lengths[side]
        if side == "query" and folder.expansion is not None:
            length = folder.expansion.length if folder.expansion.cuts else max(length, folder.expansion.length)
        length -= self._markers[side] is not None
        return Tokenizing(folder.transformer, length, lower_case=folder.lower_case)

    def _read_markers(self) -> dict[Side, int | None]:
        if not any(self._folder.markers.values()):
            return {}
        tokenizing = Tokenizing(self._folder.transformer, self._folder.lengths["document"])
        found: dict[Side, int | None] = {}
        for side, marker in self._folder.markers.items():
            numbers = [tokenizing.number_of(each) for each in (marker, marker.strip()) if each]
            found[side] = next((number for number in numbers if number is not None), None)
            if marker and found[side] is None:
                raise ModelError(
                    f"{self._folder.path}: the {side} prefix {marker!r} is no token of the tokenizer, so its vector "
                    "was never saved; save the model with its tokenizer again"
                )
        return found

    def _read_skipped(self) -> NDArray[np.int64]:
        tokenizing = self._tokenizing["document"]
        unknown = tokenizing.unknown
        numbers = [tokenizing.number_of(word) for word in self._folder.skipped]
        found = [number for number in numbers if number is not None and number != unknown]
        return np.array(found, np.int64)

    def _read_expanding(self) -> int:
        """The number of the token that queries are filled up with; 0 where they are not."""
        expansion = self._folder.expansion
        if expansion is None:
            return 0
        said = Configuration.read_if_there(self._folder.transformer / "tokenizer_config.json")
        special = Configuration.read_if_there(self._folder.transformer / "special_tokens_map.json")
        named = [expansion.token] if expansion.token is not None else []
        if not named:
            for field in ("mask_token", "eos_token", "pad_token"):
                for place in (said, special):
                    value = place.values.get(field)
                    named += [value if isinstance(value, str) else value["content"]] if value else []
        numbers = [self._tokenizing["query"].number_of(token) for token in named]
        found = next((number for number in numbers if number is not None), None)
        if found is None:
            raise ModelError(
                f"{self._folder.path}: queries are expanded by {' or '.join(named) or 'a mask token'}, which the "
                "tokenizer lacks"
            )
        return found


def load_token_encoder(
    name: str | Path | None = None,
    *,
    precision: str = "auto",
    threads: int | None = None,
    pooling: float | None = None,
    device: str = CPU,
) -> TokenEncoder:
    """An encoder of a vector a token: a folder or hub name of a ColBERT of PyLate, sentence-transformers or Stanford,
    or of any encoder, whose token states serve as they come; None is the embedded default.

    precision: "auto" is bf16 where the processor has it, else f32. threads: None takes all cores. pooling: merge a
    document's vectors into so many times fewer. device: where it runs, as `load_encoder` has it. Raises ModelError for
    a model that cannot be used, InputError.
    """
    return TokenEncoder(name, precision=precision, threads=threads, pooling=pooling, device=device)
