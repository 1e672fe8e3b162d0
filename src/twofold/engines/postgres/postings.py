"""Records of the lexical index as lines of two tables: of each run its lengths, and of each of its terms the documents.

A run (lexical/records.py) covers the documents of one commit, or of one building of the index. A query reads the lines
of its terms, and scores the same records as the local engine, so equal documents get equal bits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.engines.postgres.connecting import Connection, Session
from twofold.engines.postgres.copying import copy_lines
from twofold.lexical.analysing import Analysis
from twofold.lexical.passage_records import NO_PASSAGES, PassageRecords
from twofold.lexical.recorder import Recorder
from twofold.lexical.records import Hashes, Records, Run
from twofold.lexical.stretches import Text

RUN_COLUMNS = {"index": "int4", "first": "int8", "lengths": "bytea", "last": "bytea", "passage_lengths": "bytea"}
TERM_COLUMNS = {
    "index": "int4",
    "hash": "int8",
    "first": "int8",
    "places": "bytea",
    "counts": "bytea",
    "passage_documents": "bytea",
    "passage_places": "bytea",
    "passage_counts": "bytea",
}
_U2, _U4 = np.dtype("<u2"), np.dtype("<u4")
_Line = tuple[Any, ...]


def recorded(analysis: Analysis, first: int, texts: Iterable[Text], end: int) -> Iterator[Run]:
    """The runs of documents with numbers from `first` to `end`, ascending. One thread at a time."""
    recorder = Recorder(first, analysis.vocabulary)
    for number, text, passages in texts:
        recorder.add(number, analysis.ids(text), list(map(analysis.ids, passages)))
        yield from recorder.made
        recorder.made.clear()
    recorder.skip_to(end)
    recorder.close()
    yield from recorder.made


def write_run(connection: Connection, index: int, run: Run) -> None:
    """Appends a run to an index, inside the caller's transaction."""
    copy_lines(connection, "lexical_runs", RUN_COLUMNS, [_of_run(index, run)])
    copy_lines(connection, "lexical_terms", TERM_COLUMNS, _of_terms(index, run))


def drop_indexes(connection: Connection, but: int | None) -> None:
    """Removes the lines of all indexes but one."""
    for table in ("lexical_runs", "lexical_terms"):
        connection.execute(f"DELETE FROM {table} WHERE index IS DISTINCT FROM %s", (but,))  # noqa: S608


class Lengths:
    """The lengths of the texts of all runs, which never change once they are written; threads may share it.

    Four bytes a document and two a passage, of one index.
    """

    def __init__(self) -> None:
        self._index = -1
        self._runs: dict[int, Run] = {}

    def at(self, session: Session, index: int) -> list[Run]:
        """The runs that the session's snapshot has, in their order, each without any term."""
        runs = self._runs if self._index == index else {}
        firsts = [
            first
            for (first,) in session.rows("SELECT first FROM lexical_runs WHERE index = %s ORDER BY first", (index,))
        ]
        if lacking := [first for first in firsts if first not in runs]:
            found = session.rows(
                "SELECT first, lengths, last, passage_lengths FROM lexical_runs "
                "WHERE index = %s AND first = ANY(%s::bigint[])",
                (index, lacking),
                binary=True,
            )
            runs = {**runs, **{line[0]: _empty(*line) for line in found}}
            self._index, self._runs = index, runs
        return [runs[first] for first in firsts]


def read_records(session: Session, index: int, hashes: Hashes, lengths: Lengths) -> Records:
    """The records of all documents, with no other terms than these. hashes: ascending."""
    lines = session.rows(
        "SELECT first, hash, places, counts, passage_documents, passage_places, passage_counts FROM lexical_terms "
        "WHERE index = %s AND hash = ANY(%s::bigint[]) ORDER BY first, hash",
        (index, hashes.astype(np.int64).tolist()),
        binary=True,
    )
    by_run: OrderedDict[int, list[_Line]] = OrderedDict()
    for line in lines:
        by_run.setdefault(line[0], []).append(line[1:])
    runs = (_with_terms(run, by_run.get(run.first, [])) for run in lengths.at(session, index))
    return Records(0, tuple(runs))


def _empty(first: int, lengths: bytes, last: bytes, passage_lengths: bytes) -> Run:
    """A run without any term."""
    none = np.empty(0, np.uint16)
    within = NO_PASSAGES
    if passage_lengths:
        within = replace(NO_PASSAGES, last=np.frombuffer(last, _U4), lengths=np.frombuffer(passage_lengths, _U2))
    return Run(
        first,
        np.frombuffer(lengths, _U4),
        np.empty(0, np.uint64),
        np.empty(0, np.uint32),
        none,
        np.empty(0, np.uint8),
        within,
    )


def _with_terms(run: Run, lines: Sequence[_Line]) -> Run:
    if not lines:
        return run
    hashes, *columns = zip(*lines, strict=True)
    places, counts, documents, among, of_passages = (list(column) for column in columns)
    within = run.within
    if len(within):
        parts = [np.frombuffer(each, _U2) for each in documents]
        within = PassageRecords(
            _ends(parts),
            np.array([len(np.unique(each)) for each in parts], np.uint32),
            within.last,
            within.lengths,
            np.concatenate(parts),
            np.frombuffer(b"".join(among), _U2),
            np.frombuffer(b"".join(of_passages), np.uint8),
        )
    return Run(
        run.first,
        run.lengths,
        np.array(hashes, np.uint64),
        np.cumsum([len(each) for each in counts]).astype(np.uint32),
        np.frombuffer(b"".join(places), _U2),
        np.frombuffer(b"".join(counts), np.uint8),
        within,
    )


def _ends(parts: Sequence[NDArray[Any]]) -> NDArray[np.uint32]:
    return np.cumsum([len(each) for each in parts]).astype(np.uint32)


def _of_run(index: int, run: Run) -> _Line:
    within = run.within
    return index, run.first, _bytes(run.lengths, _U4), _bytes(within.last, _U4), _bytes(within.lengths, _U2)


def _of_terms(index: int, run: Run) -> Iterator[_Line]:
    within, start, begin = run.within, 0, 0
    ends_within = within.ends.tolist() if len(within) else [0] * len(run.hashes)
    for term, end, finish in zip(run.hashes.tolist(), run.ends.tolist(), ends_within, strict=True):
        yield (
            index,
            term,
            run.first,
            _bytes(run.places[start:end], _U2),
            run.counts[start:end].tobytes(),
            _bytes(within.documents[begin:finish], _U2),
            _bytes(within.passages[begin:finish], _U2),
            within.counts[begin:finish].tobytes(),
        )
        start, begin = end, finish


def _bytes(values: NDArray[Any], kind: np.dtype[Any]) -> bytes:
    return values.astype(kind, copy=False).tobytes()
