"""The engine protocol: how everything above an engine uses it. An engine is the place where a collection is stored.

An engine stores documents and vectors, and returns candidates with exact scores. The protocol passes ids, selections
and arrays of results, never masks or row numbers of the whole collection. Within one snapshot a document or passage has
a handle, an int64 that is valid in that snapshot only. tests/contracts/test_engine_laws.py tests the laws written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twofold.addresses import Place
from twofold.block import Block, Known, Part
from twofold.documents import Document
from twofold.facets import Facet
from twofold.filters import Filter
from twofold.index_report import IndexReport, IndexRequest, RecallReport
from twofold.passage_scores import Nearest, PassageScores
from twofold.progress import Progress, silent
from twofold.reports import BackupReport, OptimizeReport, VerifyReport
from twofold.scores import Numbers, Scores, Vectors
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which documents may be found: those that meet all conditions.

    where: they match the filter. without: they have none of these ids. said: this query of the query language does not
    exclude them.
    """

    where: Filter | None = None
    without: tuple[str, ...] = ()
    said: str | None = None


EVERYTHING = Selection()
LEXICAL = "lexical"
"""The key of the state that is published together with a lexical index."""


class OutdatedError(Exception):
    """A snapshot is older than derived data, or refers to removed files: take a later snapshot."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Queries for measuring an index.

    vectors: float32 (n, dimension), n > 1. origin: where they come from, as text. depth: length of the rankings.
    """

    vectors: Vectors
    origin: str
    depth: int


Ask = Callable[[], Questions]
"""Makes the questions when they are needed, which may need an encoder."""


@dataclass(frozen=True, slots=True)
class Passages:
    """All passages of some documents.

    handles: int64 (n,); owners: int64 (n,), for each the position of its document among the given ones, never
    decreasing; spans: int32 (n, 2), start and end in characters of the document's text.
    """

    handles: Numbers
    owners: Numbers
    spans: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of a commit: live documents; of the default space its passages, its truncated documents, and the tokens
    that their vectors do not cover."""

    documents: int
    passages: int
    truncated: int
    tokens_cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCounts:
    """Counts of a commit in one space: live documents in it, their passages, and whether all documents are in it."""

    documents: int
    passages: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about a stored collection beside its documents.

    format: of the stored data. created: UTC. bytes: its size by part. log_held_back: bytes of the log that cannot be
    merged while readers hold older commits.
    """

    format: int
    created: str
    bytes: Mapping[str, int]
    log_held_back: int


class DenseSnapshot(Protocol):
    """Vectors of one contract on one snapshot.

    Laws: a score is `scores.dense_scores` of the query and the stored vector, however the document was found; a
    document's score is that of its best passage, of equal ones the earlier.
    """

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        """The first `top` of the ranking of `depth` documents, best first, equal scores by the UTF-8 bytes of the id.

        query: float32 (dimension,). All documents with the last score are compared by id before the cut.
        """

    def scored(self, query: Vectors, documents: Numbers) -> PassageScores:
        """The scores of all passages of these documents, which are ascending and distinct; those without a vector are
        left out."""

    def vectors(self, passages: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these passages."""

    def tokens_cut(self, documents: Numbers) -> Numbers:
        """int64 (n,): tokens of each of these documents that its vectors do not cover."""

    def stored(self) -> Iterator[tuple[Numbers, NDArray[Any]]]:
        """All stored vectors in blocks: (handles of the passages, ascending, their vectors in the type that is stored).

        The passages of a document are adjacent, documents in the order of `EngineSnapshot.each`.
        """

    def drawn(self, count: int) -> Passages:
        """A pseudo-random sample of up to `count` passages with distinct vectors, determined by the vectors alone.

        So it depends neither on ids nor on the order of additions. `owners` are handles of documents.
        """


class LexicalSnapshot(Protocol):
    """Terms → BM25 scores of the documents of one snapshot.

    Laws: a score depends on commit, query and document alone; `candidates` and `scores` give equal bits for the same
    document; a document that shares no term with the query scores 0 and is no candidate.
    """

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        """The best `count` documents with their scores (float32), and all that tie with the last.

        Best first, equal scores by handle; fewer if no more share a term with the query.
        """

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order."""

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms, each as often as it counts in a score."""

    def evidence(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): what lexical search adds to mixed scores, before its weight: BM25 with less of common terms."""

    def passage_evidence(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """The evidence of the passages of these documents, which are ascending and distinct; None where none is kept.

        int64 (n,), how many passages each document has, 0 for one; float32 (passages,), one document after the other.
        """

    def passage_scores(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """In the same way BM25 of passages, by their statistics; a document of one passage has a count of 1 here."""

    def text(self, query: str) -> str:
        """The query's text without the operators of the query language and without what it excludes."""

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): for each text the summed inverse document frequencies of the query's terms in it, each once."""


class EngineSnapshot(AbstractContextManager["EngineSnapshot"], Protocol):
    """One commit; it does not change while the snapshot is open. Threads may share it."""

    @property
    def commit(self) -> int:
        """The commit's number."""

    @property
    def counts(self) -> Counts:
        """The commit's counts."""

    @property
    def space(self) -> Space:
        """The default space, which is searched."""

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All spaces, also incomplete ones, in the order in which they were made."""

    def counted(self, space: str) -> SpaceCounts:
        """The commit's counts in a space. Raises InputError for an unknown name."""

    def lacking(self, space: str, count: int) -> Numbers:
        """int64, ascending: the first documents, at most `count`, that are not in a space; none if it is complete."""

    def dense(self, space: str | None = None, *, exact: bool = False) -> DenseSnapshot:
        """Dense search in a space, by default in the default one. exact: without an approximate index."""

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> LexicalSnapshot | None:
        """Lexical search; None if there is no lexical index. query_language: enables its operators.

        Raises OutdatedError if the index is newer than this snapshot, unless `anyway` is set (slow). That
        happens beside a writer, and not again for a snapshot whose lexical search was opened once.
        """

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError if no document has a field of the filter, or none has it with the compared type."""

    def check_unambiguous(self, where: Filter) -> None:
        """Raises FilterError if a matching document has several values under a name."""

    def without_passages(self) -> int:
        """The number of documents without a passage."""

    def select(self, where: Filter | None = None) -> Numbers:
        """int64, ascending: the documents that match the filter."""

    def count(self, where: Filter | None = None) -> int:
        """The number of documents that match the filter."""

    def facets(self, field: str, where: Filter | None = None) -> Iterable[Facet]:
        """The values of a field (facets.py), each with its number of matching documents, in any order."""

    def has_text(self) -> bool:
        """Whether any document has a text or a title."""

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """id → handle of the documents with these ids; unknown ids are left out. Raises DocumentError."""

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents. Raises CorruptionError."""

    def text_hashes(self, documents: Numbers) -> list[bytes]:
        """The hashes with which these documents were committed."""

    def each(self) -> Iterator[Document]:
        """All documents in the order in which they were added, with at most one batch in memory."""

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        """All passages of these documents in a space, by default the default one."""

    def codes(self, rows: Numbers, space: str) -> NDArray[np.uint16]:
        """uint16 (n, words): these rows of a space of token vectors (token_codes.py); a passage has one or more."""

    def spans(self, passages: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each passage of the default space in characters of its document's text."""

    def state(self, key: str) -> Any:
        """The JSON value stored under a key, or None."""

    def index(self) -> IndexReport | None:
        """The report of the approximate index with its recall; None if search is exact."""

    def close(self) -> None:
        """Closes the snapshot; it cannot be used afterwards."""


class LexicalAside(Protocol):
    """A lexical index that is not published yet, and the commit that it covers."""

    @property
    def snapshot(self) -> EngineSnapshot:
        """The latest commit."""

    @property
    def lexical(self) -> LexicalSnapshot:
        """Lexical search over all of its documents."""

    def publish(self, about: Mapping[str, Any]) -> None:
        """Publishes the index: searches use it from this commit on. about: JSON that becomes the state LEXICAL."""


class EngineWriter(Protocol):
    """Changes a collection while it holds the writer's lock. Each call is one commit, which is durable when the call
    returns. A call that raises StorageError leaves the collection as it was, and may be tried again."""

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of the live documents with these ids; unknown ids are left out."""

    def spaces(self) -> tuple[Space, ...]:
        """The complete spaces, into which every added document goes, the default one first."""

    def commit(self, block: Block) -> Numbers:
        """Adds documents, replacing live ones with the same ids. The block has a part for each complete space.

        Raises VectorError before anything is written; StorageError; CorruptionError.
        """

    def add_space(self, space: Space) -> None:
        """Begins a space; it is complete if there are no documents. Raises InputError if the name is taken."""

    def fill_space(self, name: str, documents: Numbers, part: Part) -> bool:
        """Adds existing documents to a space; returns whether it is complete.

        documents: int64 (n,), ascending: the first that are not in it; those deleted meanwhile are left out. Raises
        InputError if one is skipped, VectorError.
        """

    def index(self, space: Space, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """Builds the index that a space needs before it becomes the default one; None if it needs none."""

    def make_default(self, name: str) -> None:
        """Makes a complete space the one that is searched, atomically. Raises InputError."""

    def put_source(self, name: str, source: Mapping[str, Any]) -> None:
        """Replaces that from which the encoder of a space is loaded, atomically. Raises InputError."""

    def drop_space(self, name: str) -> None:
        """Deletes a space that is not the default one, with its files. Raises InputError."""

    def delete(self, documents: Numbers) -> int:
        """Deletes documents by handles of the latest commit; returns how many of them were live."""

    def put_state(self, key: str, value: Any) -> None:
        """Stores a JSON value under a key; None removes it."""

    def state(self, key: str) -> Any:
        """The JSON value under a key, or None."""

    def lexical_aside(
        self, settings: Mapping[str, Any], progress: Progress = silent
    ) -> AbstractContextManager[LexicalAside]:
        """Builds a lexical index of the existing documents, or updates the existing one if its settings are equal.

        settings: how texts become terms, JSON of `LexicalSettings`. The existing one serves until the new is published.
        """

    def optimize(self, request: IndexRequest, ask: Ask, progress: Progress = silent) -> OptimizeReport:
        """Frees the space of deleted documents, and builds the requested index. Raises InputError, StorageError."""

    def follow(self, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """Maintains derived data after an addition, at a cost bounded by what was added; None if no index was due."""

    def maintain(self, seconds: float, ask: Ask, progress: Progress = silent) -> bool:
        """Does the due maintenance of derived data that fits into the time; returns whether there was any."""

    def repair(self, report: VerifyReport, ask: Ask, progress: Progress = silent) -> None:
        """Rebuilds derived data that a verification found damaged; marks it in the report."""


class Engine(Protocol):
    """The storage of one collection; threads may share it."""

    @property
    def path(self) -> Place:
        """Its place, for messages."""

    @property
    def space(self) -> Space:
        """The default space, as known without a snapshot."""

    def snapshot(self) -> EngineSnapshot:
        """A snapshot of the latest commit, until it is closed."""

    def writing(self, wait: float | None = None) -> AbstractContextManager[EngineWriter]:
        """The writer's lock; the thread that holds it may enter again.

        wait: seconds to wait for one writer, by default those of the opening. Raises LockedError, naming the holder.
        """

    def facts(self) -> Facts:
        """Facts beside the documents."""

    def recall(self, questions: Questions) -> RecallReport:
        """The recall of searches against exact search, with filters too. Raises InputError without passages."""

    def verify(self, progress: Progress = silent) -> VerifyReport:
        """Verifies every checksum on the latest commit; reports damage and the documents concerned."""

    def check_outside(self, path: str | Path) -> None:
        """Raises InputError for a path inside the collection's storage, where only the engine may write."""

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:
        """Copies the latest commit into a new folder, a collection of its own, while writers go on."""

    def close(self) -> None:
        """Closes the engine; open snapshots stay valid until they are closed."""
