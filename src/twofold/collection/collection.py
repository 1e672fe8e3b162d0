"""The collection: documents in, hits out. Every method delegates to the package that does the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from twofold.addresses import folder_of
from twofold.collection.adding import Adding
from twofold.collection.deleting import delete
from twofold.collection.exchanging import Exchanging
from twofold.collection.guarding import Encoders, GuardedEncoder
from twofold.collection.information import Info, describe, in_short, in_short_as_html
from twofold.collection.lexical_report import LexicalReport
from twofold.collection.lexical_tuning import JudgedTexts, LexicalTuning, unmeasured
from twofold.collection.measuring_pipelines import Wanted
from twofold.collection.measuring_spaces import Judged
from twofold.collection.migrating import Migrating, MigrationCost, MigrationReport
from twofold.collection.own_vectors import AnyVectors, given
from twofold.collection.pinning import Pinning
from twofold.collection.questions import asking, questions
from twofold.collection.reading import Reading
from twofold.collection.searches import Searching
from twofold.collection.settings import Settings
from twofold.collection.syncing import Agreed, Syncing, SyncReport
from twofold.collection.token_space import AnyTokens, TokenSettings, keep_tokens, stored_tokens_of
from twofold.collection.updating import Updating
from twofold.collection.verifying import verified
from twofold.contract import Context, Contract
from twofold.documents import Document
from twofold.engine import Ask, Engine, EngineWriter
from twofold.index_report import LATENCY, PROMISE, IndexRequest, RecallReport
from twofold.judgements import Judgements, qrels_of
from twofold.progress import Progress, displayed
from twofold.protocols import AnyEncoder
from twofold.readers.walking import Choice
from twofold.reports import AddReport, OptimizeReport, VerifyReport
from twofold.scores import Vectors

Documents = Iterable[Document | Mapping[str, Any] | tuple[str, str]] | Any
"""What `add` takes: an iterable of documents, or a table of another library (rows.py)."""


class Collection(Reading, Searching, Exchanging, AbstractContextManager["Collection"]):
    """Documents, their vectors and their indexes; created by `twofold.create`, opened by `twofold.open`.

    Each search reads the latest commit; each writing call takes the writer's lock. Threads may share one object. Close
    it, or use it in a `with` block. Long calls show how far they are with
    `progress=True`, or call the function that is given.
    """

    def __init__(self, engine: Engine, encoders: Encoders, settings: Settings) -> None:
        self._engine = engine
        self._encoders = encoders
        self._settings = settings
        self._pinning = Pinning(engine, encoders, settings.depth)

    @property
    def path(self) -> Path:
        """The collection's folder. Raises InputError for one at a server, whose address is `info().path`."""
        return folder_of(self._engine.path)

    @property
    def contract(self) -> Contract:
        """Everything that determines the vectors that are searched."""
        return self.encoder.contract

    @property
    def encoder(self) -> GuardedEncoder:
        """The encoder of the default space, loaded when it is first used and checked against the contract."""
        return self._encoders.default

    @property
    def settings(self) -> Settings:
        """How documents are divided into passages, and how long rankings are."""
        return self._settings

    def add(
        self,
        documents: Documents,
        *,
        vectors: AnyVectors | None = None,
        progress: Progress | bool = False,
    ) -> AddReport:
        """Adds documents, or replaces those with the same id; returns a report with counts.

        documents: Documents, dicts (id, text, title, anything else is metadata), (id, text) pairs, one or
        several, or a table of pandas, polars or Arrow (docs/filters.md). vectors: the user's own, (n, dimension), one a
        document in the same order, an array or a .npy file, or the Parquet file of an export, with all vectors of a
        document; without them the texts are encoded. progress: True shows
        it, a function is called with the documents done.

        An unchanged document is not encoded again. Documents are acknowledged in blocks: after an error or Ctrl-C
        every acknowledged block is stored, and the same call continues from there. The first addition builds the
        lexical index (`tune`), and so does each fourfold growth; a large collection also gets an approximate index,
        which grows with it. Raises DocumentError, VectorError, ContractError, LockedError, StorageError.
        """
        return self._changed(Adding, documents, vectors, progress)

    def update(
        self,
        documents: Documents | Mapping[str, Any],
        *,
        vectors: AnyVectors | None = None,
        progress: Progress | bool = False,
    ) -> AddReport:
        """Changes fields of documents that are there, and keeps the others; says what became of them.

        documents: dicts with an id and the fields to change, one or several, or a table. A field that is given as None
        is removed; an object is replaced as a whole. Only documents whose text or title changes are encoded again.
        vectors, progress: as in `add`. Raises NoDocumentError for an id that is not there, and what `add` raises.
        """
        return self._changed(Updating, documents, vectors, progress)

    async def aadd(self, documents: Documents, **options: Any) -> AddReport:
        """`add` of documents in a worker thread, for programs with an event loop; the same options."""
        return await asyncio.to_thread(self.add, documents, **options)

    def _changed(
        self, way: type[Adding], documents: Any, vectors: AnyVectors | None, progress: Progress | bool
    ) -> AddReport:
        own = None if vectors is None else given(vectors, self.contract)
        with self._writing() as writer, displayed(progress, way.__name__, "documents") as shown:
            report = way(self._engine, self._encoders, self._settings.passages, own).run(documents, writer, shown)
            if self._wants_lexical_index():
                report.analyser = self.tune(progress=shown).told
            report.index = writer.follow(self._asking(), shown)
            return report

    def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        all: bool = False,  # noqa: A002 - the word that people look for
        strict: bool = False,
    ) -> int:
        """Deletes documents by id, by filter, or all of them (one of the three), and returns their number.

        ids: one or several; unknown ones are ignored. where: a filter (docs/filters.md); one with an empty part ({}) is
        refused, and so is one whose field has several values in a document. all: deletes every document. strict: refuse
        a filter whose fields no document has. Raises InputError, FilterError, LockedError, StorageError.
        """
        return delete(self._engine, ids, where, everything=all, strict=strict)

    def sync(
        self,
        folder: str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        agreed: Agreed = lambda *_: True,
        force: bool = False,
        progress: Progress | bool = False,
    ) -> SyncReport:
        """Makes the documents of a folder's files those that the files hold now (docs/files.md).

        New and changed files are read; unchanged ones, by size, time and inode, are not opened; the documents of files
        that are gone are deleted. A file that fails keeps its documents and is named in the report. include, exclude:
        globs, as in `read`. agreed: called with the files that are gone and the number of their documents; False keeps
        them. force: also where more than half of the files are gone. Raises InputError, and what `add` raises.
        """
        choice = Choice((), tuple(include), tuple(exclude))
        with self._engine.writing() as writer:
            syncing = Syncing(writer, lambda documents: self.add(documents, progress=progress), self.delete)
            return syncing.run(folder, choice, agreed, force=force)

    def writing(self, wait: float | None = None) -> AbstractContextManager[Any]:
        """Holds the writer's lock for a `with` block with several calls.

        wait: seconds to wait for a writer, by default those that the collection was opened with; they begin again when
        another follows it. Raises LockedError, naming the writer.
        """
        return self._engine.writing(wait)

    def info(self) -> Info:
        """The collection's figures: counts, sizes, settings, index."""
        with self._engine.snapshot() as snapshot:
            return describe(self._engine, snapshot, self._encoders.of(snapshot.space).contract, self._settings)

    def verify(self, progress: Progress | bool = False, *, repair: bool = False) -> VerifyReport:
        """Reads all data and verifies every checksum; writers may write meanwhile.

        The report lists all damage and the documents concerned. repair: rebuilds a damaged index; documents and vectors
        are never changed. Raises CorruptionError only if too little is left to verify; with repair also LockedError,
        StorageError.
        """
        with displayed(progress, "Verifying", "lines and vectors") as shown:
            return verified(self._engine, self._asking(), shown, repair=repair)

    def recall(self, queries: Sequence[str] | Vectors | None = None) -> RecallReport:
        """The recall of searches against exact search, measured now, without a filter and with filters.

        queries: texts or vectors (n, dimension); by default titles and openings of documents that were not used for
        tuning. Raises InputError.
        """
        with self._engine.snapshot() as snapshot:
            asked = questions(snapshot, self.encoder, self._settings.depth, queries, unseen=True)
        return self._engine.recall(asked)

    def tune(
        self,
        *,
        analyser: str | None = None,
        queries: Mapping[str, str] | None = None,
        qrels: Judgements | None = None,
        vectors: Sequence[Vectors] | Vectors | None = None,
        rankers: Sequence[str | Path] | str | Path = (),
        budget: float | None = None,
        progress: Progress | bool = False,
    ) -> LexicalReport:
        """Builds the lexical index and fits how lexical and dense scores are mixed: searches are hybrid from then on.

        Where vectors are compared by dot products scores are not mixed, and mode="lexical" searches the index.

        analyser: how texts become terms, a language, "plain" or "ngram" (docs/hybrid.md); by default as before, as the
        collection was created, or as the first texts suggest. queries, qrels: judged queries (id → text) and their
        judgements, which also choose the weight of lexical scores; without them the mixing is fitted on the
        collection's own texts. vectors: those of the queries, (n, dimension), in their order; by default they are
        encoded.

        rankers: folders or hub names of second stages, or "token-vectors"; what cross-encoders among them say is
        calibrated to the judgements. budget: milliseconds a query, in which the best way of searching is looked for
        among the modes and the rankers; searches follow it unless they name a mode or a ranker (docs/second-stage.md).
        Without it none is followed. Raises InputError, ModelError, LockedError, StorageError.
        """
        judged = {} if qrels is None else qrels_of(qrels)
        wanted = Wanted.of(
            rankers, budget, lambda snapshot: stored_tokens_of(snapshot, self._encoders), judged=bool(judged)
        )
        with self._writing() as writer, displayed(progress, "Building the lexical index", "documents") as shown:
            tuning = LexicalTuning(self._engine, writer, self.encoder, self._settings, shown)
            return tuning.run(analyser, JudgedTexts(queries or {}, judged, vectors), wanted)

    def optimize(
        self,
        *,
        index: str | None = None,
        recall: float = PROMISE,
        latency: float = LATENCY,
        queries: Sequence[str] | Vectors | None = None,
        progress: Progress | bool = False,
    ) -> OptimizeReport:
        """Frees the disk space of deleted documents and rebuilds the index; readers keep their snapshots.

        index: "flat" (none: search stays exact), "scan", "ivf" or "hnsw"; by default the smallest that reaches `recall`
        with a median look-up of at most `latency` milliseconds on this machine, hnsw only if there is memory to build
        it. The report names kinds that cannot be used for these vectors, and whether `recall` was reached. recall:
        recall@10 against exact search. latency: milliseconds. queries: texts or vectors (n, dimension) for measuring,
        by default made from documents.

        A crash at any moment leaves the old state or the new one. It needs disk space meanwhile (docs/durability.md).
        Raises LockedError, InputError, StorageError, CorruptionError.
        """
        with self._writing() as writer, displayed(progress, "Optimizing", "passages") as shown:
            return writer.optimize(IndexRequest(index, recall, latency), self._asking(queries), shown)

    def maintain(self, seconds: float, progress: Progress | bool = False) -> bool:
        """Does the due maintenance of derived data that fits into `seconds`; returns whether there was any.

        For long-running processes, since `add` does only a share in proportion to what it added. Searches are possible
        meanwhile. Raises LockedError, StorageError.
        """
        with self._engine.writing() as writer, displayed(progress, "Maintaining", "passages") as shown:
            return writer.maintain(seconds, self._asking(), shown)

    def migrate(
        self,
        encoder: AnyEncoder,
        *,
        queries: Mapping[str, str] | None = None,
        qrels: Judgements | None = None,
        name: str | None = None,
        context: Context | None = None,
        switch: bool = False,
        told: Callable[[MigrationCost], None] = lambda _: None,
        progress: Progress | bool = False,
    ) -> MigrationReport:
        """Encodes the stored texts into a second space with another encoder, and compares both; searches are possible.

        After an interruption the same call resumes.

        queries, qrels: judged queries (id → text) and their judgements, by which nDCG@10 of both is compared; without
        them the overlap of the first hits. name: of the new space, by default the next free one of "space-2",
        "space-3", …. context: of the passages, as in `create`; by default that of the space that is searched.
        switch: makes it the one that is searched (`switch_space` switches back). told: called with the estimated cost
        before the work begins. Raises InputError, LockedError, StorageError.
        """
        judged = Judged(queries or {}, {} if qrels is None else qrels_of(qrels))
        with displayed(progress, "Encoding", "documents") as shown:
            return self._migrating(shown).run(encoder, name, judged, told, switch=switch, context=context)

    def switch_space(self, name: str, progress: Progress | bool = False) -> None:
        """Makes another complete space the one that is searched, with the index that it needs.

        name: of the space, as `info().spaces` lists it. Raises InputError, LockedError, StorageError.
        """
        with displayed(progress, "Indexing", "passages") as shown:
            self._migrating(shown).switch(name)

    def add_token_vectors(self, asked: AnyTokens = True, *, progress: Progress | bool = False) -> int:
        """Keeps a vector for each token of every document from now on, and encodes the documents that are there;
        returns the number of encoded documents. `search(ranker="token-vectors")` ranks by them.

        asked: a model's folder or hub name, `TokenSettings`, or True for the token states of the collection's own
        encoder. After an interruption the same call resumes. Raises InputError where the collection keeps others,
        ModelError, LockedError, StorageError.
        """
        settings = TokenSettings.of(asked) or TokenSettings()
        encoder = settings.encoder(self.encoder.source)
        with displayed(progress, "Encoding tokens", "documents") as shown:
            mode = self._settings.passages
            return keep_tokens(self._engine, self._encoders, encoder, settings, mode, shown)

    def drop_space(self, name: str) -> None:
        """Deletes a space that is not searched, with its files.

        name: of the space, as `info().spaces` lists it. Raises InputError, LockedError, StorageError.
        """
        with self._engine.writing() as writer:
            writer.drop_space(name)

    def _migrating(self, progress: Progress) -> Migrating:
        return Migrating(self._engine, self._encoders, self._settings, progress)

    def close(self) -> None:
        """Closes files and locks; a collection in memory is deleted."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return in_short(self._engine)

    def _repr_html_(self) -> str:
        return in_short_as_html(self._engine)

    @contextmanager
    def _writing(self) -> Iterator[EngineWriter]:
        """The writer's lock for what encodes: the place of an encoder that has moved is stored."""
        with self._engine.writing() as writer:
            self._encoders.remember(writer)
            yield writer

    def _wants_lexical_index(self) -> bool:
        with self._engine.snapshot() as snapshot:
            return unmeasured(snapshot, self.encoder)

    def _asking(self, queries: Sequence[str] | Vectors | None = None) -> Ask:
        return asking(self._engine, self.encoder, self._settings.depth, queries)
