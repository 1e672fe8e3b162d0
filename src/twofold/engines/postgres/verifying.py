"""Verifying: what the tables hold compared with what the last commit says of them, on one snapshot.

The server verifies its own pages where it was told to (initdb --data-checksums); this finds lines that somebody changed
or removed beside Twofold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from psycopg import sql

from twofold.documents import Document
from twofold.engines.postgres.connecting import Session
from twofold.engines.postgres.fields import as_jsonb
from twofold.engines.postgres.schema import Head, SpaceHead
from twofold.engines.postgres.snapshot import PostgresSnapshot
from twofold.errors import TwofoldError
from twofold.progress import Progress
from twofold.reports import Damage, VerifyReport

BATCH = 1_024
NAMED = 10
"""Documents that a damage names at most."""


class Verification:
    """One run over one snapshot."""

    def __init__(self, session: Session, snapshot: PostgresSnapshot, progress: Progress) -> None:
        self._session = session
        self._snapshot = snapshot
        self._head: Head = snapshot.head
        self._progress = progress
        self.report = VerifyReport()

    def run(self) -> VerifyReport:
        """Everything."""
        report = self.report
        report.damage += self._documents()
        for head in self._head.spaces.values():
            report.damage += self._rows(head)
        report.damage += self._lexical()
        return report

    def _documents(self) -> Iterator[Damage]:
        last, changed = -1, list[str]()
        query = (
            "SELECT number, id, title, metadata, text, fields::text FROM documents "
            "WHERE number > %s ORDER BY number LIMIT %s"
        )
        while lines := self._session.rows(query, (last, BATCH)):
            for number, identifier, title, metadata, text, fields in lines:
                self.report.documents += 1
                self.report.bytes += len(text.encode()) + len(title.encode()) + len(metadata.encode())
                if number >= self._head.next_document or not _is_whole(identifier, text, title, metadata, fields):
                    changed.append(identifier)
            last = lines[-1][0]
            self._progress(self.report.documents, self._head.documents)
        if changed:
            yield Damage("documents", f"{len(changed)} documents are not what was written", tuple(changed[:NAMED]))
        if self.report.documents != self._head.documents:
            said = f"it holds {self.report.documents} documents, the last commit says {self._head.documents}"
            yield Damage("documents", said)

    def _rows(self, head: SpaceHead) -> Iterator[Damage]:
        place, longest = f"vectors_{head.number} (space {head.name})", 0.0
        dense, rows = self._snapshot.dense(head.name), 0
        for numbers, halves in dense.stored():
            exact = halves.astype(np.float64)
            longest = max(longest, float(np.sqrt(np.einsum("ij,ij->i", exact, exact)).max(initial=0.0)))
            rows += len(numbers)
            self.report.rows += len(numbers)
            self.report.bytes += halves.nbytes
        if rows != head.rows:
            yield Damage(place, f"it holds {rows} vectors, the last commit says {head.rows}")
        if longest > head.longest:
            yield Damage(place, "it holds a vector that is longer than any that was written")
        orphans = sql.SQL(
            "SELECT count(*) FROM {} AS v WHERE NOT EXISTS (SELECT 1 FROM documents AS d WHERE d.number = v.document)"
        ).format(head.table)
        if alone := self._session.row(orphans)[0]:
            yield Damage(place, f"{alone} vectors belong to no document")

    def _lexical(self) -> Iterator[Damage]:
        """The index covers every document, deleted ones too."""
        index = self._head.lexical
        if index is None:
            return
        ((end,),) = self._session.rows(
            "SELECT coalesce(max(first + length(lengths) / 4), 0) FROM lexical_runs WHERE index = %s", (index.index,)
        )
        if end != self._head.next_document:
            said = (
                f"it has read the documents up to number {end}, the last commit goes up to {self._head.next_document}"
            )
            yield Damage("lexical", said, derived=True)


def _is_whole(identifier: str, text: str, title: str, metadata: str, fields: str) -> bool:
    """Whether a line is one that was written: a document, whose metadata stand twice alike."""
    with suppress(TwofoldError, ValueError):
        document = Document(identifier, text, title, json.loads(metadata))
        return document.metadata_json() == metadata and json.loads(as_jsonb(dict(document.metadata))) == json.loads(
            fields
        )
    return False
