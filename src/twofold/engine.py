"""What an engine must offer: the place where a collection lives, as everything above it knows it.

An engine keeps documents and vectors, acknowledges commits, answers filters, and proposes candidates with exact scores.
It speaks of ids, selections and arrays of results, never of masks or of rows of the whole collection. Within one
snapshot a document or passage is named by a handle, an int64 that means nothing elsewhere. tests/contracts/
test_engine_laws.py holds every engine to the laws written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twofold.block import Block, Known, Part
from twofold.documents import Document
from twofold.filters import Filter
from twofold.index_report import IndexReport, IndexRequest, RecallReport
from twofold.progress import Progress, silent
from twofold.reports import BackupReport, OptimizeReport, VerifyReport
from twofold.scores import Numbers, Scores, Vectors
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which documents may be found: those that meet all of these.

    where: pass the filter. without: have none of these ids. said: are not ruled out by this query of the query
    language.
    """

    where: Filter | None = None
    without: tuple[str, ...] = ()
    said: str | None = None


EVERYTHING = Selection()
LEXICAL = "lexical"
"""The key of the state that is published together with a lexical index."""


class OutdatedError(Exception):
    """A snapshot is older than what was derived, or names what is gone: a later snapshot is to be taken."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What an index is measured with.

    vectors: float32 (n, dimension), n > 1. origin: where they come from, in words. depth: of the rankings asked for.
    """

    vectors: Vectors
    origin: str
    depth: int


Ask = Callable[[], Questions]
"""Makes the questions when they are needed: that may take an encoder."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """Documents and their dense scores.

    documents: int64 (n,), handles; scores: float32 (n,), each that of the document's best passage; passages: int64
    (n,), the handle of that passage.
    """

    documents: Numbers
    scores: Scores
    passages: Numbers


@dataclass(frozen=True, slots=True)
class Passages:
    """All passages of some documents.

    handles: int64 (n,); owners: int64 (n,), for each the position of its document among those asked for, never falling;
    spans: int32 (n, 2), start and end in characters of the document's text.
    """

    handles: Numbers
    owners: Numbers
    spans: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a commit holds: live documents; of the default space passages, documents whose vectors leave out some of
    their text, and how many tokens that is."""

    documents: int
    passages: int
    truncated: int
    tokens_cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCounts:
    """What a commit holds in one space: live documents that are in, their passages, and whether these are all."""

    documents: int
    passages: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an engine knows of a collection beside its documents.

    format: of what it keeps. created: UTC. bytes: that it takes, by part. log_held_back: bytes of its log that readers
    of older commits keep from being folded in.
    """

    format: int
    created: str
    bytes: Mapping[str, int]
    log_held_back: int


class DenseSnapshot(Protocol):
    """Vectors of one contract on one snapshot.

    Laws: a score is `scores.dense_scores` of the query and the stored vector, whatever proposed the document; a
    document counts by its best passage; of equal passages the earlier is shown.
    """

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        """The first `top` of the ranking of `depth` documents, best first, equal scores by the UTF-8 bytes of the id.

        query: float32 (dimension,). All that share the last admitted score are looked at before the cut.
        """

    def scored(self, query: Vectors, documents: Numbers) -> Nearest:
        """These documents, which are ascending and differ, with their scores; those without a vector are left out."""

    def vectors(self, passages: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these passages."""

    def tokens_cut(self, documents: Numbers) -> Numbers:
        """int64 (n,): tokens of each of these documents that its vectors do not cover."""

    def stored(self) -> Iterator[tuple[Numbers, NDArray[Any]]]:
        """All stored vectors in blocks: (handles of the passages, ascending, their vectors in the type that is stored).

        The passages of a document stand together, documents in the order of `EngineSnapshot.each`.
        """

    def drawn(self, count: int) -> Passages:
        """Up to `count` passages of different vectors, as if by chance, but decided by the vectors alone.

        So neither ids nor the order in which documents came change what is drawn. `owners` are handles of documents.
        """


class LexicalSnapshot(Protocol):
    """Terms → BM25 scores of the documents of one snapshot.

    Laws: a score depends on commit, query and document alone; `candidates` and `scores` give equal bits for the same
    document; a document that shares no term with the query scores 0 and is no candidate.
    """

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        """The best `count` documents with their scores (float32), and all that tie with the last.

        Best first, equal scores by handle; fewer where no more share a term with the query.
        """

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order."""

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms: what a document could score at most, in
        proportion."""

    def text(self, query: str) -> str:
        """What the query says, without signs of the query language, and without what it excludes."""

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the query's terms that each text has, each term
        once; by it the passage of a document is chosen that is shown."""


class EngineSnapshot(AbstractContextManager["EngineSnapshot"], Protocol):
    """One commit, as a reader sees it: it does not change while it is held. Several threads may use it."""

    @property
    def commit(self) -> int:
        """The commit's number."""

    @property
    def counts(self) -> Counts:
        """What the commit holds."""

    @property
    def space(self) -> Space:
        """The default space, which is searched."""

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All spaces, in the order in which they were made; those that are not complete yet among them."""

    def counted(self, space: str) -> SpaceCounts:
        """What the commit holds in a space. Raises InputError where there is none of this name."""

    def lacking(self, space: str, count: int) -> Numbers:
        """int64, ascending: the first documents, at most `count`, that a space lacks; none where it is complete."""

    def dense(self, space: str | None = None, *, exact: bool = False) -> DenseSnapshot:
        """A space, the default one unless it is named. exact: without an approximate index."""

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> LexicalSnapshot | None:
        """The lexical side; None where the collection has none. query_language: signs in a query mean something.

        Raises OutdatedError where it has gone further than this snapshot, unless it is to be had anyway, which may be
        slow; that happens beside a writer, not to a snapshot whose lexical side was asked for once.
        """

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError where no document has a field of the filter, or has it with the type asked for."""

    def check_unambiguous(self, where: Filter) -> None:
        """Raises FilterError where a document that passes has several values under a name with a dot."""

    def without_passages(self) -> int:
        """How many documents have no passage."""

    def select(self, where: Filter | None = None) -> Numbers:
        """int64, ascending: the documents that pass the filter."""

    def count(self, where: Filter | None = None) -> int:
        """How many documents pass the filter."""

    def has_text(self) -> bool:
        """Whether a document has a text or a title."""

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """id → handle of the documents among these ids; ids that are not there are left out. Raises DocumentError."""

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents. Raises CorruptionError."""

    def each(self) -> Iterator[Document]:
        """All documents in the order in which they were added, never more than a batch held."""

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        """All passages of these documents in a space, the default one unless it is named."""

    def spans(self, passages: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each passage of the default space in characters of its document's text."""

    def state(self, key: str) -> Any:
        """The JSON value that was kept under a key, or None."""

    def index(self) -> IndexReport | None:
        """What the approximate index was measured to find; None where search is exact."""

    def close(self) -> None:
        """Lets the commit go; nothing may be asked of it afterwards."""


class LexicalAside(Protocol):
    """A lexical side that nobody else sees yet, and the commit that it is of."""

    @property
    def snapshot(self) -> EngineSnapshot:
        """The latest commit."""

    @property
    def lexical(self) -> LexicalSnapshot:
        """The lexical side of all of its documents."""

    def publish(self, about: Mapping[str, Any]) -> None:
        """Searches use it from this commit on. about: JSON that is the state LEXICAL then."""


class EngineWriter(Protocol):
    """The one that changes a collection, for as long as it holds the right to. Each call is one commit, durable when it
    returns; one that raises StorageError leaves the collection as it was, and may be tried again."""

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of the live documents with these ids; unknown ids are missing from the answer."""

    def spaces(self) -> tuple[Space, ...]:
        """The complete spaces, into which every added document goes, the default one first."""

    def commit(self, block: Block) -> Numbers:
        """Adds documents, in place of live ones with the same ids. The block has a part for each complete space.

        Raises VectorError before anything is written; StorageError; CorruptionError.
        """

    def add_space(self, space: Space) -> None:
        """Begins a space, which is complete where there are no documents. Raises InputError where its name is taken."""

    def fill_space(self, name: str, documents: Numbers, part: Part) -> bool:
        """Puts documents that are there already into a space; says whether it is complete.

        documents: int64 (n,), ascending: the first that the space lacks. Those that were deleted meanwhile are left
        out. Raises InputError where one is passed over, VectorError.
        """

    def index(self, space: Space, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """Makes the index that a space should have before it is made the default one; None: none was due."""

    def make_default(self, name: str) -> None:
        """Makes a complete space the one that is searched, at one moment. Raises InputError."""

    def drop_space(self, name: str) -> None:
        """Gives up a space that is not the default one, and frees its disk space. Raises InputError."""

    def delete(self, documents: Numbers) -> int:
        """Deletes documents by handles of the latest commit; gives how many of them were live."""

    def put_state(self, key: str, value: Any) -> None:
        """Keeps a JSON value under a key; None removes it."""

    def state(self, key: str) -> Any:
        """The JSON value under a key, or None."""

    def lexical_aside(
        self, settings: Mapping[str, Any], progress: Progress = silent
    ) -> AbstractContextManager[LexicalAside]:
        """Makes the lexical side of the documents that are there, or brings it along where the settings are the same.

        settings: how texts become terms, JSON of `lexical.analysing.LexicalSettings`. What stands serves until the new
        one is published.
        """

    def optimize(self, request: IndexRequest, ask: Ask, progress: Progress = silent) -> OptimizeReport:
        """Frees the disk space of deleted documents, and makes the index that is asked for; measured before it serves.

        Raises InputError for a kind that the engine does not know, StorageError.
        """

    def follow(self, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """What is due beside an addition, of all that is derived, bounded by what was added; None: no index was due."""

    def maintain(self, seconds: float, ask: Ask, progress: Progress = silent) -> bool:
        """What is due of all that is derived, as far as it fits into the time; says whether it did anything."""

    def repair(self, report: VerifyReport, ask: Ask, progress: Progress = silent) -> None:
        """Makes again what a verification found damaged and what is derived; marks it in the report."""


class Engine(Protocol):
    """One collection, where it lives; threads may share it."""

    @property
    def path(self) -> Path:
        """Where it is, for messages."""

    @property
    def space(self) -> Space:
        """The default space, as far as is known without a snapshot."""

    def snapshot(self) -> EngineSnapshot:
        """The latest commit, held until it is closed."""

    def writing(self, wait: float | None = None) -> AbstractContextManager[EngineWriter]:
        """The right to write; the thread that has it may ask again.

        wait: seconds to wait for another writer, by default those that the engine was opened with. Raises LockedError
        naming the holder.
        """

    def facts(self) -> Facts:
        """What is known beside documents."""

    def recall(self, questions: Questions) -> RecallReport:
        """What searches find of what exact search finds, now, whole and behind filters.

        Raises InputError for a collection without passages.
        """

    def verify(self, progress: Progress = silent) -> VerifyReport:
        """Every checksum computed again, on the latest commit; says what is damaged and which documents it hits."""

    def check_outside(self, path: str | Path) -> None:
        """Raises InputError for a path inside of where the collection lives, where only the engine may write."""

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:
        """Copies the latest commit into a new folder, a collection of its own, while writers go on."""

    def close(self) -> None:
        """Lets go of everything; snapshots that are held stay good until they are closed."""
