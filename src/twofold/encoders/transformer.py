"""The encoder that runs a transformer model: adds prompts to texts and encodes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.contract import PROBE_TEXTS, Contract, Side
from twofold.encoders.spans import SpanVectors
from twofold.encoders.texts import add_to, check_texts
from twofold.errors import InputError, ModelError, TruncationError
from twofold.logs import logger_of
from twofold.models.devices import AUTO, CPU, chosen_device, why_no_gpu
from twofold.models.folder import ModelFolder, read_model_folder
from twofold.models.known_models import lacking_prompts, prompts_of, untrained_length
from twofold.models.locating import DEFAULT_NAME, find_model
from twofold.models.static_model import StaticModel
from twofold.models.token_folder import states_of
from twofold.models.tokenizing import Tokenizing
from twofold.models.transformer import TransformerModel
from twofold.models.workers import Recipe, Workers
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.values import without_surrogates

TRUNCATION = ("count", "error")
BLOCK = 128
"""Texts tokenised at a time, while the batches before them run."""
NO_PRODUCTS = (
    "OpenVINO has no products of int8 for this processor: the weights are in int8, and are computed with in f32"
)


logger = logger_of(__name__)


class TransformerEncoder:
    """A transformer model, or a table of rows for tokens, with its tokenizer, pooling and prompts.

    tower: which of the two, if a folder has one for each side. dim: how many of a vector's first numbers are kept; None
    keeps as many as the folder says. device: where it runs; see `load_encoder`. workers: processes that encode long
    lists of texts. notes: what the user should know of the model, in words; each is also logged as a warning.

    The graph is compiled at the first encoding. An encoder on the CPU may be used on both sides of a fork; the child
    compiles the graph again. Any number of threads may encode at once.
    """

    def __init__(
        self,
        name: str | Path | None = None,
        *,
        precision: str = "auto",
        threads: int | None = None,
        on_truncation: str = "count",
        tower: Side = "document",
        dim: int | None = None,
        device: str = CPU,
        workers: int = 1,
    ) -> None:
        if on_truncation not in TRUNCATION:
            raise InputError(f"on_truncation must be one of {', '.join(TRUNCATION)}, not {on_truncation!r}")
        if dim is not None and (type(dim) is not int or dim < 1):
            raise InputError(f"dim must be a whole number of at least 1, not {dim!r}")
        self._found = find_model(name)
        self._dim = dim
        folder = read_model_folder(self._found.folder, tower)
        self._folder = folder if dim is None else replace(folder, dimension=dim)
        self._tokenizing = Tokenizing(
            self._folder.transformer,
            self._folder.max_tokens,
            lower_case=self._folder.lower_case,
            alone=self._folder.network is None,
        )
        self._asked = precision
        self._threads = threads
        self._model = self._model_of(precision, threads, device)
        self._workers = self._workers_of(Recipe(self._folder.path, tower, self._model.precision, threads), workers)
        if dim is not None and dim > (whole := self._model.whole_dimension):
            raise ModelError(
                f"{self._folder.path} makes vectors of {whole} numbers, fewer than dim={dim}; ask for {whole} at most"
            )
        self._tokenizing.refuse_beyond(self._model.rows, self._folder.configuration.path)
        self._on_truncation = on_truncation
        self._prompts = prompts_of(self._folder, self._found.source)
        for side in ("query", "document"):
            if self._token_limit(side) < 1:
                raise ModelError(
                    f"{self._folder.path}: the {side} prompt leaves no token in {self._folder.max_tokens} tokens"
                )
        self.notes = tuple(filter(None, [*self._doubts(name), self._doubt_of_device(device)]))
        logger.debug("loaded %s, %s on %s", self._folder.path, self._model.precision, self._model.device)
        for note in self.notes:
            logger.warning("%s", note)

    def _doubts(self, name: str | Path | None) -> list[str]:
        """What is said about the model that was loaded; empty texts say nothing."""
        embedded = name is not None and self._found.source is None
        cut = self._dim if self._dim != self._model.whole_dimension else None
        return [
            f"the encoder {name} is the embedded copy of {DEFAULT_NAME}" if embedded else "",
            lacking_prompts(self._folder, self._found.source),
            "" if self._folder.network is None else self._folder.network.note,
            "" if cut is None else untrained_length(self._folder, self._found.source, cut),
            NO_PRODUCTS if self._model.in_int8 and self._lacks_int8 else "",
        ]

    @property
    def folder(self) -> ModelFolder:
        """The settings that were read from the model's folder."""
        return self._folder

    @property
    def model(self) -> TransformerModel | StaticModel:
        """What runs: tokens in, vectors out."""
        return self._model

    @property
    def _lacks_int8(self) -> bool:
        """Whether int8 was meant to run and does not."""
        return self._asked in ("auto", "int8") and self._model.precision != "int8"

    def _doubt_of_device(self, asked: str) -> str:
        if self._folder.network is None:
            return "" if asked in (CPU, AUTO) else f"{self._folder.path} adds up rows of a table, on the CPU"
        return why_no_gpu() if asked == AUTO and self._model.device == CPU else ""

    def _model_of(self, precision: str, threads: int | None, device: str) -> TransformerModel | StaticModel:
        if (network := self._folder.network) is not None:
            options: dict[str, Any] = {"precision": precision, "threads": threads, "device": device}
            return TransformerModel(self._folder, network, probes=self._probes, **options)
        chosen_device(device)  # one that is there, though none is needed
        if precision not in ("auto", "f32"):
            raise ModelError(f"{self._folder.path}: the rows of its table are added up in f32, not {precision!r}")
        return StaticModel(self._folder)

    def _probes(self) -> list[list[int]]:
        return [each.ids for each in self._tokenizing.tokens(PROBE_TEXTS)]

    def _workers_of(self, recipe: Recipe, count: int) -> Workers | StaticModel:
        if not isinstance(self._model, TransformerModel):
            if count != 1:
                raise InputError(f"{recipe.path} adds up rows of a table, which needs no worker processes; workers=1")
            return self._model
        if count != 1 and self._model.device != CPU:
            raise InputError(f"worker processes share the cores of the CPU, not {self._model.device}; workers=1")
        if count != 1 and self._model.network is not self._folder.network:
            raise InputError(
                "worker processes load weights in int8 from a folder in int8; make it, `twofold quantize MODEL --to "
                "FOLDER`, and load that; or workers=1"
            )
        return Workers(self._model, recipe, count)

    @cached_property
    def contract(self) -> Contract:
        """Everything that determines the vectors; the weights are read once, at the first call."""
        return self._decided()

    def _decided(self) -> Contract:
        modes = "+".join(self._folder.modes)
        modes += "" if self._folder.mix is None else f" {self._folder.mix}"
        return Contract(
            weights=self._model.fingerprint,
            tokenizer=self._tokenizing.fingerprint,
            dimension=self._model.dimension,
            pooling=modes if self._folder.include_prompt else f"{modes} without prompt",
            layers=tuple(str(layer) for layer in self._folder.layers),
            similarity=self._folder.similarity,
            query_prompt=self._prompts["query"],
            document_prompt=self._prompts["document"],
            max_tokens=self._folder.max_tokens,
            quantization="int8" if self._model.in_int8 else "",
        )

    @property
    def source(self) -> dict[str, Any]:
        """The kind, where the model is (a folder's absolute path, a hub name, or None for the embedded default), `dim`
        where it was given, and `precision` where it was int8, which belongs to the contract.
        """
        cut = {} if self._dim is None else {"dim": self._dim}
        rounded = {"precision": self._asked} if self._asked == "int8" else {}
        return {"kind": "transformer", "name": self._found.source, **cut, **rounded}

    @property
    def precision(self) -> str:
        """How the numbers are computed: "f32", "bf16" or "int8"."""
        return self._model.precision

    @property
    def device(self) -> str:
        """Where they are computed: "cpu" (OpenVINO), "cuda:0" (or another number), "mps" or "torch:cpu" (torch)."""
        return self._model.device

    @property
    def token_limit(self) -> int:
        """The most tokens of a document input, without special tokens and the document prompt."""
        return self._token_limit("document")

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters; nothing is truncated."""
        return self._tokenizing.spans(texts)

    def unfamiliar(self, texts: Sequence[str]) -> float:
        """The share, from 0 to 1, of the texts' letters that the tokenizer has no words or syllables for."""
        return self._tokenizing.unfamiliar(texts)

    @property
    def vocabulary(self) -> list[str]:
        """The tokenizer's tokens by their number."""
        return self._tokenizing.vocabulary

    def query_tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """For each text the token ids of its query, special tokens included."""
        return list(self._inputs(texts, "query", EncodingReport()))

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): each text with the query prompt before it. Raises InputError, TruncationError."""
        return self._encode(texts, "query", report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): each text with the document prompt before it. Raises InputError, TruncationError."""
        return self._encode(texts, "document", report)

    def check_spans(self) -> None:
        """Raises InputError where the model cannot make vectors of spans of a text: `encode_spans`."""
        states_of(self._folder)
        if self._model.in_int8:
            raise InputError(f"{self._folder.path} is in int8; spans of a text have vectors of bf16 or f32")

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[NDArray[np.int32]], *, report: EncodingReport | None = None
    ) -> Vectors:
        """float32 (all spans, dimension): the means of their tokens, each encoded with the text around it (spans.py).

        spans: of each text int32 (n, 2), start and end in characters. Raises InputError where the model cannot do so,
        and for a text without tokens.
        """
        check_texts(texts)
        self.check_spans()
        counts = EncodingReport()
        vectors = self._span_vectors.vectors(texts, spans, counts)
        for position, lost in counts.cut.items():
            self._refuse_if_asked(position, lost, "document")
        if report is not None:
            add_to(report, counts)
        return vectors

    @cached_property
    def _span_vectors(self) -> SpanVectors:
        return SpanVectors(
            self._folder,
            self._tokenizing,
            self._prompts["document"],
            precision=self._model.precision,
            threads=self._threads,
            device=self._model.device,
        )

    def _encode(self, texts: Sequence[str], side: Side, report: EncodingReport | None) -> Vectors:
        check_texts(texts)
        vectors = np.empty((len(texts), self._model.dimension), dtype=np.float32)
        counts = EncodingReport()
        inputs = self._inputs(texts, side, counts)
        for positions, made in self._workers.vectors(inputs, uncounted=self._uncounted[side]):
            vectors[positions] = made
        if report is not None:
            add_to(report, counts)
        return vectors

    def _inputs(self, texts: Sequence[str], side: Side, counts: EncodingReport) -> Iterator[list[int]]:
        for start in range(0, len(texts), BLOCK):
            block = []
            for text in texts[start : start + BLOCK]:
                whole, replaced = without_surrogates(text)
                counts.surrogates += replaced
                block.append(self._prompts[side] + whole)
            for position, tokenized in enumerate(self._tokenizing.tokens(block), start):
                if tokenized.lost:
                    counts.cut[position] = tokenized.lost
                    self._refuse_if_asked(position, tokenized.lost, side)
                counts.texts += 1
                counts.tokens += len(tokenized.ids)
                yield tokenized.ids

    def _refuse_if_asked(self, position: int, lost: int, side: Side) -> None:
        if self._on_truncation == "error":
            token_limit = self._token_limit(side)
            raise TruncationError(
                f"text {position} is {token_limit + lost} tokens long and the encoder takes at most {token_limit}; "
                "divide it, or take on_truncation='count' to cut it"
            )

    def _token_limit(self, side: Side) -> int:
        return self._tokenizing.max_tokens - self._tokenizing.special_tokens - self._prompt_tokens[side]

    @cached_property
    def _prompt_tokens(self) -> dict[Side, int]:
        return {side: self._tokenizing.count(prompt) if prompt else 0 for side, prompt in self._prompts.items()}

    @cached_property
    def _uncounted(self) -> dict[Side, int]:
        """How many first tokens the pooling leaves out: none, or the prompt's with the special ones before it."""
        if self._folder.include_prompt:
            return {"query": 0, "document": 0}
        return {side: self._tokenizing.prefix(prompt) if prompt else 0 for side, prompt in self._prompts.items()}
