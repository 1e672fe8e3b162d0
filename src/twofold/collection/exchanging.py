"""What leaves a collection as a whole: backups, exports, and batches of Arrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twofold.collection.exporting import ExportForm, Exporting, ExportReport
from twofold.collection.guarding import Encoders
from twofold.engine import Engine, EngineSnapshot
from twofold.progress import Progress, displayed, silent
from twofold.reports import BackupReport


class Exchanging:
    """The half of a collection that copies it; each call reads the latest commit."""

    _engine: Engine
    _encoders: Encoders

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

    def _exporting(self, snapshot: EngineSnapshot, progress: Progress) -> Exporting:
        return Exporting(snapshot, self._encoders.of(snapshot.space).contract, progress)
