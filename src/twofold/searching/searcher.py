"""The searcher of one snapshot: text, vector or stored document in, hits or runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self
from unicodedata import category

import numpy as np

from twofold import filters
from twofold.documents import Passage
from twofold.errors import QueryError
from twofold.protocols import Encoder, Ranker, Snapshot
from twofold.rankings import Hit, Run
from twofold.reports import EncodingReport
from twofold.scores import Mask, Vectors, checked_vectors, scaled
from twofold.searching.hybrid import MODES, HybridSearch, Mixed, Mode, Worded
from twofold.searching.nearest import Nearest, NearestSearch
from twofold.searching.reranking import reranked

QUERIES_AT_ONCE = 256


class SnapshotSearcher(AbstractContextManager["SnapshotSearcher"]):
    """Searches one snapshot until it is closed: the same question gives the same answer, whatever is written beside it.

    depth: a ranking ends there; k counts within it. words: searches by words too; without it only by meaning. wordless:
    why there are no words, and what to do. encodes: whether texts have vectors here; where the vectors were made
    elsewhere, texts are searched by words alone.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        dense: NearestSearch,
        encoder: Encoder,
        *,
        depth: int,
        words: HybridSearch | None = None,
        wordless: str = "this searcher was made without words",
        encodes: bool = True,
    ) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._words = words
        self._wordless = wordless
        self._encodes = encodes
        self._encoder = encoder
        self._depth = checked_count(depth, "depth")

    @property
    def snapshot(self) -> Snapshot:
        """The commit that is searched."""
        return self._snapshot

    @property
    def dense(self) -> NearestSearch:
        """How its documents are found by vectors."""
        return self._dense

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which it answers a text; hybrid where there is one is taken unless another is asked for."""
        mixes = self._words is not None and self._words.mixes
        can = {"lexical": self._words is not None, "dense": self._encodes, "hybrid": mixes}
        return tuple(mode for mode in MODES if can[mode])

    def search(
        self,
        query: str | Vectors,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        mode: Mode | None = None,
        ranker: Ranker | None = None,
        strict: bool = False,
        report: EncodingReport | None = None,
    ) -> list[Hit]:
        """The k best documents after the first `offset`.

        query: a text, or a vector of float32 (dimension,), which is scaled to unit length where the contract says
        cosine. where: a filter on metadata (filters.py). mode: "dense" (by meaning), "lexical" (by words, BM25) or
        "hybrid"; by default a text is searched hybrid where that can be had (`modes`). Lexical search needs no encoder,
        and shows the passage that has most of the query's words. ranker: a second stage that
        reads the whole ranking, so that a page does not depend on k; it needs a text. strict: a field of the filter
        that no document has is an error. report: counts what of the query was cut. Raises QueryError where offset + k
        goes beyond the depth.
        """
        top = self._page(k, offset)
        allowed = self._allowed(where, strict=strict)
        if ranker is None:
            return self._hits(self._found(query, mode, top, allowed, report), offset)
        if not isinstance(query, str):
            raise QueryError("a ranker reads the query, so it needs a text, not a vector")
        everything = self._hits(self._found(query, mode, self._depth, allowed, report), 0)
        return reranked(self._text(query), everything, ranker)[offset:top]

    def like(
        self,
        document_id: str,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        strict: bool = False,
    ) -> list[Hit]:
        """The documents nearest to a stored one, itself left out.

        Its query vector is the mean of its passages' vectors. Raises QueryError for an id that is not there or that
        has no vector.
        """
        top = self._page(k, offset)
        numbers = self._snapshot.find([document_id])
        if not numbers:
            raise QueryError(f"there is no document {document_id!r} in this collection")
        rows, _ = self._snapshot.rows_of(np.array(list(numbers.values()), dtype=np.int64))
        if len(rows) == 0:
            raise QueryError(f"document {document_id!r} has neither text nor title, hence no vector to search with")
        vector = self._snapshot.vectors(rows).mean(axis=0)
        allowed = self._allowed(where, strict=strict).copy()
        allowed[rows] = False
        found = self._dense.nearest(self._scaled(vector), depth=self._depth, top=top, allowed=allowed)
        return self._hits(found, offset)

    def run(
        self,
        queries: Mapping[str, str],
        *,
        depth: int = 1000,
        mode: Mode | None = None,
        report: EncodingReport | None = None,
    ) -> Run:
        """The rankings of many queries, each to `depth` documents: query id → document id → score.

        Raises QueryError, also for an empty query, which it names.
        """
        depth, mode = checked_count(depth, "depth"), self._mode("", mode)
        if empty := [name for name, text in queries.items() if _unseen(text)]:
            raise QueryError(f"the query {empty[0]!r} is empty")
        names, run, everything = list(queries), Run(), self._allowed(None)
        for first in range(0, len(names), QUERIES_AT_ONCE):
            block = names[first : first + QUERIES_AT_ONCE]
            for name, given in zip(block, self._given([queries[name] for name in block], mode, report), strict=True):
                found = self._ranked(queries[name], given, mode, depth=depth, top=depth, allowed=everything)
                ids = self._snapshot.ids(found.documents)
                run[name] = dict(zip(ids, found.scores.tolist(), strict=True))
        return run

    def close(self) -> None:
        """Lets the snapshot go."""
        self._snapshot.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def _page(self, k: int, offset: int) -> int:
        k = checked_count(k, "k")
        if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
            raise QueryError(f"offset is a count from 0 on, not {offset!r}")
        if offset + k > self._depth:
            raise QueryError(
                f"offset + k is {offset + k}, but a ranking ends at depth={self._depth}; ask with a larger depth"
            )
        return offset + k

    def _allowed(self, where: Mapping[str, Any] | None, *, strict: bool = False) -> Mask:
        condition = None if where is None else filters.parse(where)
        if strict and condition is not None:
            self._snapshot.check_fields(condition)
        return self._snapshot.passing(condition)

    def _vector(self, query: str | Vectors, report: EncodingReport | None) -> Vectors:
        if isinstance(query, str):
            vector: Vectors = self._encoder.encode_queries([self._text(query)], report=report)[0]
            return vector
        if not isinstance(query, np.ndarray | list | tuple):
            raise QueryError(f"a query is a text or a vector, not {type(query).__name__}")
        return self._scaled(checked_vectors([query], self._encoder.contract.dimension, what="the query vector")[0])

    def _text(self, query: str) -> str:
        """What a model reads of a query."""
        return query if self._words is None else self._words.text(query)

    def _scaled(self, vector: Vectors) -> Vectors:
        line: Vectors = scaled(vector[None], self._encoder.contract.similarity, what="the query vector")[0]
        return line

    def _mode(self, query: str | Vectors, mode: Mode | None) -> Mode:
        """The mode that is asked for, where it can be had; raises QueryError."""
        if mode is None:
            return "hybrid" if isinstance(query, str) and "hybrid" in self.modes else "dense"
        if mode not in MODES:
            raise QueryError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
        if mode != "dense" and not isinstance(query, str):
            raise QueryError(f"a {mode} search reads the query, so it needs a text, not a vector")
        if mode != "dense" and self._words is None:
            raise QueryError(f"no search can be {mode} here: {self._wordless}")
        if mode == "hybrid" and "hybrid" not in self.modes:
            raise QueryError(f"no search can be hybrid here: {self._unmixed()}")
        return mode

    def _unmixed(self) -> str:
        if self._encodes:
            return (
                "meaning and words are mixed by cosines, and this collection compares by dot products; search with the "
                "mode dense or lexical"
            )
        return (
            "this collection holds vectors made elsewhere, so that a text has none to mix its words with; search with "
            "the mode lexical, or by a vector"
        )

    def _given(
        self, texts: Sequence[str], mode: Mode, report: EncodingReport | None
    ) -> Sequence[Callable[[], Vectors]]:
        """The vectors of many texts, made at once unless the mode does without them."""
        if mode == "lexical":
            return [partial(self._vector, text, report) for text in texts]
        vectors = self._encoder.encode_queries([self._text(text) for text in texts], report=report)
        return [partial(np.asarray, vector) for vector in vectors]

    def _found(
        self, query: str | Vectors, mode: Mode | None, top: int, allowed: Mask, report: EncodingReport | None
    ) -> Nearest | Mixed | Worded:
        if isinstance(query, str) and _unseen(query):
            raise QueryError("the query is empty")
        mode = self._mode(query, mode)
        vector = partial(self._vector, query, report)
        return self._ranked(str(query), vector, mode, depth=self._depth, top=top, allowed=allowed)

    def _ranked(
        self, text: str, vector: Callable[[], Vectors], mode: Mode, *, depth: int, top: int, allowed: Mask
    ) -> Nearest | Mixed | Worded:
        words = self._words
        if words is not None and mode == "lexical":
            return words.lexical(text, depth=depth, top=top, allowed=allowed)
        if words is not None and mode == "hybrid":
            return words.hybrid(text, vector, depth=depth, top=top, allowed=allowed)
        within = allowed if words is None else words.within(text, allowed)
        return self._dense.nearest(vector(), depth=depth, top=top, allowed=within)

    def _hits(self, found: Nearest | Mixed | Worded, offset: int) -> list[Hit]:
        numbers = found.documents[offset:]
        documents = self._snapshot.documents(numbers)
        if isinstance(found, Worded):
            spans = found.spans(numbers, documents)
        else:
            spans = self._snapshot.spans(found.rows[offset:])
        return [
            Hit(score, document, Passage(start, end, document.text[start:end]), parts)
            for score, document, (start, end), parts in zip(
                found.scores[offset:].tolist(), documents, spans.tolist(), _parts(found, offset), strict=True
            )
        ]


def _unseen(text: str) -> bool:
    """Whether nothing in a text can be seen: spaces, controls, joiners, lone surrogates."""
    return all(category(character)[0] in "ZC" for character in text)


def _parts(found: Nearest | Mixed | Worded, offset: int) -> list[dict[str, float]]:
    """What made up each score, by name."""
    if isinstance(found, Nearest):
        return [{"dense": score} for score in found.scores[offset:].tolist()]
    if isinstance(found, Worded):
        return [{"lexical": score} for score in found.scores[offset:].tolist()]
    sides = zip(found.dense[offset:].tolist(), found.lexical[offset:].tolist(), strict=True)
    return [{"dense": dense, "lexical": lexical, "weight of words": found.word_weight} for dense, lexical in sides]


def checked_count(value: object, name: str) -> int:
    """A whole number from 1 on, or QueryError naming what was given."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise QueryError(f"{name} is a count from 1 on, not {value!r}")
    return int(value)
