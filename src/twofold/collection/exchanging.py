"""What leaves a collection as a whole: backups, exports, and batches of Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twofold.collection.differing import SAMPLE, Differences, Differing
from twofold.collection.exporting import ExportForm, Exporting, ExportReport
from twofold.collection.guarding import Encoders
from twofold.collection.pinning import Pinning
from twofold.collection.ranking_differences import asked, compared
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import InputError
from twofold.progress import Progress, displayed, silent
from twofold.reports import BackupReport


class Exchanging:
    """The half of a collection that copies it; each call reads the latest commit."""

    _engine: Engine
    _encoders: Encoders
    _pinning: Pinning

    def backup(self, path: str | Path, progress: Progress | bool = False) -> BackupReport:
        """Copies the latest commit into a new folder, a collection of its own; writers may go on meanwhile.

        path: the new folder; it appears under its name when it is complete, synced and verified, or not at all. Raises
        InputError if there is a folder that is not empty, CorruptionError if this collection is damaged, StorageError.
        """
        with displayed(progress, "Copying and verifying", "bytes") as shown:
            return self._engine.backup(path, shown)

    def export(
        self, path: str | Path, progress: Progress | bool = False, *, form: ExportForm | None = None
    ) -> ExportReport:
        """Writes documents, passages and vectors of one commit for other tools (docs/exchange.md).

        path: a new folder, or a file. form: "parquet", one file with a row a document (the default where the name ends
        in .parquet); "datasets", a folder of such files that `datasets.load_dataset` reads; "files", a folder of
        documents.jsonl, passages.jsonl, whose line i is the span of row i of vectors.npy (float16 (passages,
        dimension)) and of number i of vectors.faiss, which plain FAISS reads, export.json, and token_vectors.npy with
        token_passages.jsonl where token vectors are kept. The report names the spaces that are left out. Raises
        InputError if there is a folder that is not empty, MissingExtraError without pyarrow, CorruptionError,
        StorageError.
        """
        self._engine.check_outside(path)
        with self._engine.snapshot() as snapshot, displayed(progress, "Exporting", "documents and vectors") as shown:
            return self._exporting(snapshot, shown).run(path, form)

    def to_arrow(self) -> Any:
        """A pyarrow.RecordBatchReader of one commit, a row a document: id, title, text, metadata (JSON text), passages
        (start and end in characters of the text), vectors (one a passage, lists of `dimension` float32).

        It reads 1,000 documents at a time, so memory does not grow; `read_all()` gives a table, and `add` takes either
        for its documents. The commit is held until the last batch was read. Raises MissingExtraError without pyarrow.
        """
        snapshot = self._engine.snapshot()
        try:
            return self._exporting(snapshot, silent).reader()
        except BaseException:
            snapshot.close()
            raise

    def differences(
        self,
        other: Exchanging,
        *,
        queries: Mapping[str, str] | None = None,
        sample: int = SAMPLE,
        progress: Progress | bool = False,
    ) -> Differences:
        """How another collection differs, of whatever engine: counts, ids, documents, vectors and rankings.

        other: the other collection, open. queries: id → text, whose first ten are compared in every mode, by exact
        search; without them questions are made of titles and openings, and where nothing can be encoded stored vectors
        are asked. sample: so many documents, of more than that drawn at random, have their content and vectors
        compared; ids are compared of all. progress: in documents. The report names the first differences; `same` says
        whether there are none. Raises InputError, CorruptionError.
        """
        if isinstance(sample, bool) or not isinstance(sample, int) or sample < 1:
            raise InputError(f"sample is a count from 1 on, not {sample!r}")
        with self._engine.snapshot() as here, other._engine.snapshot() as there:
            with displayed(progress, "Comparing", "documents") as shown:
                differing = Differing(here, there, sample, shown)
                documents = differing.run()
            found = differing.found
            if not len(documents) or here.space.dimension != there.space.dimension:
                found.notes.append("rankings were not compared: there is nothing that both have")
                return found
            questions = asked(here, self._encoders.of(here.space), documents, queries, found.notes)
        with (
            self._pinning.searcher(None, exact=True, lexical=True, query_language=False) as one,
            other._pinning.searcher(None, exact=True, lexical=True, query_language=False) as two,
        ):
            for ranking, places in compared(one, two, questions, found.notes):
                found.rank(ranking, places, questions)
        return found

    def _exporting(self, snapshot: EngineSnapshot, progress: Progress) -> Exporting:
        return Exporting(snapshot, self._encoders.of(snapshot.space).contract, progress)
