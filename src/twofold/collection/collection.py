"""The collection: documents in, hits out, in one folder. Every method hands on to the floor that does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from twofold.collection.adding import Adding, Given
from twofold.collection.choosing import chosen
from twofold.collection.deleting import delete
from twofold.collection.exporting import Exporting, ExportReport
from twofold.collection.guarding import Encoders, GuardedEncoder
from twofold.collection.information import Info, describe
from twofold.collection.measuring_spaces import Judged
from twofold.collection.migrating import Migrating, MigrationCost, MigrationReport
from twofold.collection.pinning import Pinning
from twofold.collection.questions import asking, questions
from twofold.collection.settings import Settings
from twofold.collection.verifying import verified
from twofold.collection.wording import Wording, unmeasured
from twofold.collection.words_report import WordsReport
from twofold.contract import Contract
from twofold.documents import Document
from twofold.engine import Ask, Engine
from twofold.index_report import LATENCY, PROMISE, IndexRequest, RecallReport
from twofold.progress import Progress, silent
from twofold.protocols import Encoder, Ranker
from twofold.rankings import Hit, Qrels, Run
from twofold.reports import AddReport, BackupReport, EncodingReport, OptimizeReport, VerifyReport
from twofold.scores import Vectors
from twofold.searching.hybrid import Mode
from twofold.searching.searcher import SnapshotSearcher


class Collection(AbstractContextManager["Collection"]):
    """Documents, their vectors and their indexes; made by `twofold.create`, opened by `twofold.open`.

    Each search reads the latest commit; each writing call takes the writer's lock. One object may be used by many
    threads. Close it, or use it in a `with` block.
    """

    def __init__(self, engine: Engine, encoders: Encoders, settings: Settings) -> None:
        self._engine = engine
        self._encoders = encoders
        self._settings = settings
        self._pinning = Pinning(engine, encoders, settings.depth)

    @property
    def path(self) -> Path:
        """The collection's folder."""
        return self._engine.path

    @property
    def contract(self) -> Contract:
        """All that decides the vectors that are searched."""
        return self.encoder.contract

    @property
    def encoder(self) -> GuardedEncoder:
        """The encoder of the default space, loaded at first need and held to the contract."""
        return self._encoders.default

    @property
    def settings(self) -> Settings:
        """How documents become passages, and where rankings end."""
        return self._settings

    def add(
        self,
        documents: Iterable[Document | Mapping[str, Any] | tuple[str, str]],
        *,
        vectors: Vectors | str | Path | None = None,
        progress: Progress = silent,
    ) -> AddReport:
        """Adds documents, or replaces those whose id is there; says what became of them.

        documents: Documents, dicts (id, text, title, anything else is metadata) or (id, text) pairs. vectors: the
        user's own, (n, dimension), one a document in the same order, an array or a .npy file. What is already there
        with the same content is not encoded again. Documents are acknowledged in blocks: after an error or Ctrl-C
        every finished block is in, and the same call goes on from there. A new collection gets to know its words
        (`tune`), and again each time it has grown fourfold; a large one gets an index, which then covers more as it
        grows. Raises DocumentError, VectorError, ContractError,
        LockedError, StorageError.
        """
        given = None if vectors is None else Given.of(vectors, self.contract.dimension)
        with self._engine.writing() as writer:
            report = Adding(self._engine, self._encoders, self._settings.passages, given).run(
                documents, writer, progress
            )
            if self._wants_words():
                self.tune(progress=progress)
            report.index = writer.follow(self._asking(), progress)
            return report

    def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        all: bool = False,  # noqa: A002 - the word that people look for
        strict: bool = False,
    ) -> int:
        """Deletes documents by id, by filter, or all of them (one of the three), and returns how many there were.

        Ids that are not there are passed over. A filter of which a part says nothing ({}) is refused, and one whose
        field has several values in a document. strict: refuse a filter whose fields no document has. Raises InputError,
        FilterError, LockedError, StorageError.
        """
        return delete(self._engine, ids, where, everything=all, strict=strict)

    def search(
        self,
        query: str | Vectors,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        exact: bool = False,
        mode: Mode | None = None,
        ranker: Ranker | None = None,
        strict: bool = False,
    ) -> list[Hit]:
        """The k best documents after the first `offset`, best first.

        query: a text, or a vector (dimension,). where: a filter such as {"year": {"$lt": 1990}}; a field that no
        document has matches nothing, unless `strict` asks for an error. depth: where the ranking ends. exact: without
        the approximate index. mode: "dense", "lexical" or "hybrid", by default hybrid where the collection knows its
        words (`tune`). ranker: a second stage over that whole ranking. A document's score depends on query and document
        alone, never on k. Raises QueryError, FilterError, VectorError, ContractError.
        """
        by_words = isinstance(query, str) and mode != "dense"
        with self.searcher(depth=depth, exact=exact, words=by_words) as searcher:
            return searcher.search(query, k=k, offset=offset, where=where, mode=mode, ranker=ranker, strict=strict)

    def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        exact: bool = False,
        mode: Mode | None = None,
        ranker: Ranker | None = None,
        strict: bool = False,
    ) -> list[list[Hit]]:
        """The hits of each query, in their order: the same, bit for bit, as `search` gives for each alone.

        queries: texts, or vectors (n, dimension). All are asked of one commit; texts are encoded together, and looked
        up on all cores. Everything else as in `search`.
        """
        with self.searcher(depth=depth, exact=exact, words=mode != "dense") as searcher:
            return searcher.search_many(
                queries, k=k, offset=offset, where=where, mode=mode, ranker=ranker, strict=strict
            )

    def like(
        self,
        document_id: str,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        strict: bool = False,
    ) -> list[Hit]:
        """The k documents nearest to a stored one, itself left out; where and strict as in `search`.

        Raises QueryError for an unknown id, FilterError.
        """
        with self.searcher(depth=depth, words=False) as searcher:
            return searcher.like(document_id, k=k, offset=offset, where=where, strict=strict)

    def run(
        self,
        queries: Mapping[str, str],
        *,
        depth: int = 1000,
        exact: bool = False,
        mode: Mode | None = None,
        report: EncodingReport | None = None,
    ) -> Run:
        """The rankings of many queries: query id → document id → score, each `depth` long."""
        with self.searcher(depth=depth, exact=exact, words=mode != "dense") as searcher:
            return searcher.run(queries, depth=depth, mode=mode, report=report)

    def searcher(
        self, *, depth: int | None = None, exact: bool = False, words: bool = True, query_language: bool = False
    ) -> SnapshotSearcher:
        """A searcher pinned to the latest commit until it is closed.

        exact: without the approximate index. words: without them it searches by meaning alone, and need not wait until
        what was added is known by its words. query_language: signs in a query mean something: "a phrase", AND, OR, NOT,
        +, -, parentheses, ^ (docs/hybrid.md), and what a query requires or excludes holds in every mode; without it any
        text is just words. Raises QueryError where the language is asked for and the collection knows no words.
        """
        return self._pinning.searcher(depth, exact=exact, words=words, query_language=query_language)

    def get(self, document_id: str) -> Document | None:
        """The document with this id, or None. Raises CorruptionError where its stored bytes have changed."""
        with self._engine.snapshot() as snapshot:
            found = snapshot.find([document_id])
            return next(iter(snapshot.documents(np.array(list(found.values()), dtype=np.int64))), None)

    def count(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        strict: bool = False,
    ) -> int:
        """How many documents there are: in all, of these ids, or of those that pass a filter.

        strict: refuse a filter whose fields no document has. Raises InputError for both at once, FilterError.
        """
        condition = chosen(ids, where)
        with self._engine.snapshot() as snapshot:
            if strict and condition is not None:
                snapshot.check_fields(condition)
            return snapshot.count(condition) if ids is None else len(snapshot.find(list(ids)))

    def writing(self, wait: float | None = None) -> AbstractContextManager[Any]:
        """Holds the writer's lock for a block, so that several calls belong together.

        wait: seconds to wait for another writer, by default those that the collection was opened with.
        """
        return self._engine.writing(wait)

    def info(self) -> Info:
        """What is in here, in figures."""
        with self._engine.snapshot() as snapshot:
            return describe(self._engine, snapshot, self._encoders.of(snapshot.space).contract, self._settings)

    def verify(self, progress: Progress = silent, *, repair: bool = False) -> VerifyReport:
        """Reads everything again and computes every checksum; writers may go on meanwhile.

        The report names every damage and the documents that it hits. repair: builds a damaged index again; documents
        and vectors are never touched. Raises CorruptionError only where too little is left to start from; with repair
        also LockedError, StorageError.
        """
        return verified(self._engine, self._asking(), progress, repair=repair)

    def recall(self, queries: Sequence[str] | Vectors | None = None) -> RecallReport:
        """What searches find of what exact search finds, on the collection as it is now, whole and behind filters.

        queries: texts or vectors (n, dimension) to ask with; without them titles and openings of documents that tuning
        has not asked with. Raises InputError.
        """
        with self._engine.snapshot() as snapshot:
            asked = questions(snapshot, self.encoder, self._settings.depth, queries, unseen=True)
        return self._engine.recall(asked)

    def tune(
        self,
        *,
        analyser: str | None = None,
        queries: Mapping[str, str] | None = None,
        qrels: Qrels | None = None,
        progress: Progress = silent,
    ) -> WordsReport:
        """Makes the collection know its words and how to mix them with meaning: searches are hybrid from then on.

        Where texts have no cosines (own vectors, dot products) they are not mixed, and mode="lexical" asks for words.

        analyser: how texts become terms, a language, "plain" or "ngram" (lexical/analysing.py); English by default.
        Without judgements, what is learned comes from the collection's own texts; qrels, with the texts of their
        queries, also teach how much words count here. Raises InputError, LockedError, StorageError.
        """
        with self._engine.writing() as writer:
            wording = Wording(self._engine, writer, self.encoder, self._settings.depth, progress)
            return wording.run(analyser, queries or {}, qrels or {})

    def optimize(
        self,
        *,
        index: str | None = None,
        recall: float = PROMISE,
        latency: float = LATENCY,
        queries: Sequence[str] | Vectors | None = None,
        progress: Progress = silent,
    ) -> OptimizeReport:
        """Gives back the room of deleted documents and builds the index anew; readers keep the snapshots they hold.

        index: "flat" (none: search stays exact), "scan", "ivf" or "hnsw" (indexes/kinds.py); by default the smallest
        that keeps the promise and whose median look-up takes at most `latency` milliseconds here, hnsw only where
        memory is left to build it. A kind that does not answer over these vectors is passed over, and the report says
        so, as it says whether the promise was kept. recall: the recall@10 of exact search that is promised; queries:
        texts or vectors (n, dimension) to measure it with, otherwise made from documents. A crash at any moment leaves
        the collection as it was or as it will be. Meanwhile it takes room on disk: docs/durability.md says how much.
        Raises LockedError, InputError, StorageError, CorruptionError.
        """
        with self._engine.writing() as writer:
            return writer.optimize(IndexRequest(index, recall, latency), self._asking(queries), progress)

    def maintain(self, seconds: float, progress: Progress = silent) -> bool:
        """Does what is due of all that is derived, as far as it fits into the time; says whether there was anything.

        For a process that stays: `add` does no more of it than what it added is worth. Searches go on meanwhile. Raises
        LockedError, StorageError.
        """
        with self._engine.writing() as writer:
            return writer.maintain(seconds, self._asking(), progress)

    def migrate(
        self,
        encoder: Encoder,
        *,
        queries: Mapping[str, str] | None = None,
        qrels: Qrels | None = None,
        name: str | None = None,
        switch: bool = False,
        told: Callable[[MigrationCost], None] = lambda _: None,
        progress: Progress = silent,
    ) -> MigrationReport:
        """Makes a second space with another encoder from the stored texts, and compares both, while searches go on.

        Run again after a stop it goes on where it was. queries (id → text) and qrels: compares by nDCG@10; without
        judgements by the overlap of what both find first. name: of the space. switch: search it from then on
        (`switch_space` goes back). told: hears the cost before the work. Raises InputError, LockedError, StorageError.
        """
        judged = Judged(queries or {}, qrels or {})
        return self._migrating(progress).run(encoder, name, judged, told, switch=switch)

    def switch_space(self, name: str, progress: Progress = silent) -> None:
        """Makes another complete space the one that is searched, with the index that it needs. Raises InputError."""
        self._migrating(progress).switch(name)

    def drop_space(self, name: str) -> None:
        """Gives up a space that is not searched, and its room on disk. Raises InputError, LockedError, StorageError."""
        with self._engine.writing() as writer:
            writer.drop_space(name)

    def _migrating(self, progress: Progress) -> Migrating:
        return Migrating(self._engine, self._encoders, self._settings, progress)

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:
        """Copies the latest commit into a new folder, a collection of its own; writers may go on meanwhile.

        The folder appears under its name when it is whole, synced and verified, or not at all. Raises InputError where
        the folder is not empty, CorruptionError where this collection is damaged, StorageError.
        """
        return self._engine.backup(path, progress)

    def export(self, path: str | Path, progress: Progress = silent) -> ExportReport:
        """Writes documents, passages and vectors of one commit into a new folder, for other tools to read.

        documents.jsonl; passages.jsonl, whose line i says which span has row i of vectors.npy (float16 (passages,
        dimension)) and number i of vectors.faiss, which plain FAISS reads; export.json. Raises InputError where the
        folder is not empty, CorruptionError, StorageError.
        """
        self._engine.check_outside(path)
        with self._engine.snapshot() as snapshot:
            return Exporting(snapshot, self._encoders.of(snapshot.space).contract, progress).into(path)

    def close(self) -> None:
        """Lets files and locks go; an in-memory collection vanishes."""
        self._engine.close()

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, document_id: object) -> bool:
        with self._engine.snapshot() as snapshot:
            return isinstance(document_id, str) and bool(snapshot.find([document_id]))

    def __iter__(self) -> Iterator[Document]:
        """Every document, oldest first, on one snapshot."""
        with self._engine.snapshot() as snapshot:
            yield from snapshot.each()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Collection({str(self.path)!r})"

    def _wants_words(self) -> bool:
        with self._engine.snapshot() as snapshot:
            return unmeasured(snapshot, self.encoder)

    def _asking(self, queries: Sequence[str] | Vectors | None = None) -> Ask:
        return asking(self._engine, self.encoder, self._settings.depth, queries)
