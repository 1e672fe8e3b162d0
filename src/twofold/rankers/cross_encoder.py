"""The ranker that runs a cross-encoder: a transformer that reads a query and a text together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twofold.encoders.texts import add_to
from twofold.errors import InputError, ModelError
from twofold.logs import logger_of
from twofold.models.devices import CPU
from twofold.models.heads import applied
from twofold.models.locating import find_model
from twofold.models.networks import BuiltNetwork
from twofold.models.pair_folder import PairFolder, read_pair_folder
from twofold.models.pair_model import PairModel
from twofold.models.pair_tokenizing import PairTokenizing, TokenPair
from twofold.rankers.pairs import check_pairs, pairs_of
from twofold.reports import EncodingReport
from twofold.scores import Scores, Vectors
from twofold.values import without_surrogates

BLOCK = 128
"""Pairs tokenised at a time, while the batches before them run."""
HOW_TO_NAME = (
    "there is no default cross-encoder; name one: a folder, or a hub model such as "
    "'cross-encoder/ms-marco-MiniLM-L6-v2' or 'cross-encoder/ettin-reranker-17m'"
)

logger = logger_of(__name__)


class RankedText(NamedTuple):
    """A text's place among those that were given, counted from 0, and its score."""

    position: int
    score: float


class CrossEncoder:
    """Scores a query and a text by reading both together.

    A text that is too long with its query is cut at its end, and counted in the report; the query is never cut. A score
    depends on query and text alone, and has the same bits in every call. The graph is compiled at the first pair. Any
    number of threads may score at once, and a cross-encoder may be used on both sides of a fork.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        precision: str = "auto",
        threads: int | None = None,
        label: str | int | None = None,
        prompt: str | None = None,
        device: str = CPU,
    ) -> None:
        if not str(name):
            raise ModelError(HOW_TO_NAME)
        found = find_model(name, bare=True)
        self._folder = read_pair_folder(found.folder, prompt)
        source = found.source or ""
        self._name = source if source and not Path(source).is_absolute() else found.folder.name
        folder = self._folder
        self._tokenizing = PairTokenizing(
            folder.transformer, folder.max_tokens, lower_case=folder.lower_case, template=folder.template
        )
        self._model = PairModel(folder, self._tokenizing, precision=precision, threads=threads, device=device)
        self._label = _chosen(folder, self._model.width, label)
        logger.debug("loaded %s, %s", folder.path, self._model.precision)

    def __repr__(self) -> str:
        return f"<CrossEncoder {self._name}: {self.max_tokens} tokens, {self.precision}>"

    @property
    def name(self) -> str:
        """The hub name, or the name of the folder; `hit.explain()` shows the score under it."""
        return self._name

    @property
    def precision(self) -> str:
        """How the numbers are computed: "f32", "bf16" or "int8"."""
        return self._model.precision

    @property
    def device(self) -> str:
        """Where they are computed: "cpu" (OpenVINO), "cuda:0" (or another number), "mps" or "torch:cpu" (torch)."""
        return self._model.device

    @property
    def in_int8(self) -> bool:
        """Whether some of the weights are in int8, whatever they are computed in."""
        return self._model.in_int8

    @property
    def folder(self) -> PairFolder:
        """The settings that were read from the model's folder."""
        return self._folder

    @property
    def network(self) -> BuiltNetwork:
        """The transformer below the head."""
        return self._model.network

    @property
    def max_tokens(self) -> int:
        """The most tokens of a query and a text together, with those that stand around them."""
        return self._folder.max_tokens

    def scores(self, query: str, texts: Sequence[str], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each text for the query; higher is better.

        report: counts the texts that were cut. Raises InputError for what is no text, QueryError for a query that
        leaves no room for a text.
        """
        return self.pair_scores(pairs_of(query, texts), report=report)

    def pair_scores(self, pairs: Sequence[tuple[str, str]], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each (query, text), the same as `scores` gives, in batches over all of them."""
        return self._scored(self._logits(pairs, report))

    def pair_logits(self, pairs: Sequence[tuple[str, str]], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): of each (query, text) what stands before the activation function; what others learn from."""
        logits = self._logits(pairs, report)
        return self._scored(logits) if self._label is not None else logits[:, 0]

    def _logits(self, pairs: Sequence[tuple[str, str]], report: EncodingReport | None) -> Vectors:
        check_pairs(pairs)
        logits = np.empty((len(pairs), self._model.width), dtype=np.float32)
        counts = EncodingReport()
        for positions, made in self._model.logits(self._inputs(pairs, counts)):
            logits[positions] = made
        if report is not None:
            add_to(report, counts)
        return logits

    def rank(
        self, query: str, texts: Sequence[str], top_k: int | None = None, *, report: EncodingReport | None = None
    ) -> list[RankedText]:
        """The texts from the best to the worst, equal scores by their place; the first `top_k`, or all."""
        if top_k is not None and (type(top_k) is not int or top_k < 1):
            raise InputError(f"top_k must be a whole number of at least 1 or None, not {top_k!r}")
        scores = self.scores(query, texts, report=report)
        places = np.argsort(-scores, kind="stable")[:top_k]
        return [RankedText(place, float(scores[place])) for place in places.tolist()]

    def probabilities(self, scores: Scores) -> Scores:
        """float32 (n,), from 0 to 1: what the scores of this model say of the texts' relevance, by the sigmoid."""
        if self._label is None and self._folder.activation == "sigmoid":
            return scores
        if self._label is None and self._folder.activation == "tanh":
            return np.asarray((scores + 1) / 2, dtype=np.float32)
        return applied("sigmoid", scores)

    def _scored(self, logits: Vectors) -> Scores:
        if self._label is None:
            return applied(self._folder.activation, logits[:, 0])
        exact = logits.astype(np.float64)
        others = np.delete(exact, self._label, axis=1)
        return np.asarray(exact[:, self._label] - np.logaddexp.reduce(others, axis=1), dtype=np.float32)

    def _inputs(self, pairs: Sequence[tuple[str, str]], counts: EncodingReport) -> Iterator[TokenPair]:
        prompt = "" if self._folder.template is not None else self._folder.prompt
        for start in range(0, len(pairs), BLOCK):
            block = []
            for query, text in pairs[start : start + BLOCK]:
                (asked, one), (whole, other) = without_surrogates(query), without_surrogates(text)
                counts.surrogates += one + other
                block.append((prompt + asked, whole))
            for position, pair in enumerate(self._tokenizing.pairs(block), start):
                if pair.lost:
                    counts.cut[position] = pair.lost
                counts.texts += 1
                counts.tokens += len(pair.ids)
                yield pair


def load_cross_encoder(
    name: str | Path | None = None,
    *,
    precision: str = "auto",
    threads: int | None = None,
    label: str | int | None = None,
    prompt: str | None = None,
    device: str = CPU,
) -> CrossEncoder:
    """A cross-encoder: a model folder or a hub name. None ships with Twofold, so None is an error that names some.

    precision: "auto" is bf16 where the processor has it, else f32, and int8 for weights that are stored so; all can be
    asked for. threads: None takes all cores. device: where it runs, as `load_encoder` has it. label: for a classifier
    of several labels, the name or number of the one that means relevant; the score is then its log-odds against the
    others. prompt: what stands before each query in place of the folder's own prompt; for a language model its
    instruction. Raises ModelError for a model or device that cannot be used, InputError for invalid arguments.
    """
    if name is None:
        raise ModelError(HOW_TO_NAME)
    return CrossEncoder(name, precision=precision, threads=threads, label=label, prompt=prompt, device=device)


def _chosen(folder: PairFolder, width: int, label: str | int | None) -> int | None:
    """The number of the logit that means relevant; None for a model of one logit. Raises ModelError, InputError."""
    named = folder.labels if len(folder.labels) == width else tuple(f"LABEL_{number}" for number in range(width))
    if width == 1:
        if label is not None:
            raise InputError(f"{folder.path} gives one score and has no labels; leave label={label!r} out")
        return None
    known = ", ".join(f"{number} {text!r}" for number, text in enumerate(named))
    if label is None:
        raise ModelError(
            f"{folder.path} is a classifier of {width} labels ({known}), and a ranking needs one score a text; say "
            "which label means relevant: label=NAME or its number"
        )
    if label in named:
        return named.index(label)
    if type(label) is int and 0 <= label < width:
        return label
    raise InputError(f"{folder.path} has no label {label!r}; it has {known}")
