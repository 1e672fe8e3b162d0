"""Runs the reproduction book: every expected figure for which there is data, beside the measured one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from twofold.bench.expected import Expected, ExpectedTable, read_book
from twofold.bench.surroundings import header
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.collection.settings import DEPTH
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.evaluation.evaluating import evaluate_run
from twofold.evaluation.mixing import ScorePairs, best_weighted, distribution_based, min_max, reciprocal_ranks, weighted
from twofold.evaluation.sentences import evaluate_sentences
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.rankings import Run
from twofold.readers.beir import Beir, read_beir
from twofold.readers.pairs import read_judged_pairs
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.tables import Cell, Column, Estimate, Report, Table

SIMILARITY = "similarity"
NO_DATA, NO_METHOD = "no data here", "not in this version"


class JudgedCollection:
    """A collection and judged queries, with cached rankings that several methods need."""

    def __init__(self, collection: Collection, judged: Beir) -> None:
        self._collection = collection
        self._runs: dict[SearchMode, Run] = {}
        self.judged = judged

    def run(self, mode: SearchMode) -> Run:
        """The rankings in one mode, as deep as a search's by default."""
        if mode not in self._runs:
            self._tune_once(mode)
            self._runs[mode] = self._collection.run(self.judged.queries, mode=mode, depth=DEPTH)
        return self._runs[mode]

    def score_pairs(self) -> ScorePairs:
        """Dense and lexical scores of the documents of each hybrid ranking."""
        self._tune_once("hybrid")
        with self._collection.searcher() as searcher:
            return {
                query: {hit.id: (hit.parts["dense"], hit.parts["lexical"]) for hit in searcher.search(text, k=DEPTH)}
                for query, text in self.judged.queries.items()
            }

    def _tune_once(self, mode: SearchMode) -> None:
        if mode != "dense" and self._collection.info().lexical is None:
            self._collection.tune()


Method = Callable[[JudgedCollection], Run]
"""A way to search: a collection and judged queries → their rankings."""


def _in_mode(mode: SearchMode, asked: JudgedCollection) -> Run:
    return asked.run(mode)


def _mixed(mix: Callable[[Sequence[Run]], Run], asked: JudgedCollection) -> Run:
    return mix([asked.run("dense"), asked.run("lexical")])


def _equal_weights(asked: JudgedCollection) -> Run:
    return weighted(asked.score_pairs(), 0.5)


def _best_weight(asked: JudgedCollection) -> Run:
    return best_weighted(asked.score_pairs(), asked.judged.qrels, "nDCG@10")


METHODS: dict[str, Method] = {
    **{mode: partial(_in_mode, mode) for mode in SEARCH_MODES},
    "rrf": partial(_mixed, reciprocal_ranks),
    "min-max": partial(_mixed, min_max),
    "dbsf": partial(_mixed, distribution_based),
    "min-max-exact": _equal_weights,
    "best-weight": _best_weight,
}
"""The ways to search that a row can name."""


def bench_book(
    book: Path, data: Path, *, only: Iterable[str] = (), encoder: Encoder | None = None, progress: Progress = silent
) -> Report:
    """Runs a book over the judged collections in `data`: pass, or how far off, for every row.

    only: the data to take, by name; all where none is named. A row without data here, or with a method that this
    version does not have, is skipped with a message. Raises InputError for a book that cannot be read, a name in `only`
    that the book does not have, and what reading the data raises.
    """
    tables = read_book(book)
    wanted = _wanted(tables, list(only))
    encoder = encoder or load_encoder()
    found: dict[Expected, Cell] = {}
    by_data: dict[str, list[Expected]] = {}
    for row in (row for table in tables for row in table.rows if row.data in wanted):
        by_data.setdefault(row.data, []).append(row)
    for name, rows in by_data.items():
        if (data / name).exists():
            found |= _sentences(data / name, rows, encoder)
            found |= _rankings(data / name, rows, encoder, progress)
        else:
            found |= dict.fromkeys(rows, NO_DATA)
    shown = [_shown(table, found) for table in tables if any(row in found for row in table.rows)]
    return Report(header(), [*shown, _counted(found)])


def _wanted(tables: Sequence[ExpectedTable], only: list[str]) -> set[str]:
    there = {row.data for table in tables for row in table.rows}
    unknown = [name for name in only if name not in there]
    if unknown:
        raise InputError(f"the book has no {', '.join(map(repr, unknown))}; it has {', '.join(sorted(there))}")
    return set(only) or there


def _sentences(file: Path, rows: Sequence[Expected], encoder: Encoder) -> dict[Expected, Cell]:
    asked = [row for row in rows if row.method == SIMILARITY]
    if not asked:
        return {}
    evaluation = evaluate_sentences(encoder, read_judged_pairs(file))
    known = {"spearman": evaluation.spearman, "pearson": evaluation.pearson}
    return {row: known.get(row.measure, NO_METHOD) for row in asked}


def _rankings(folder: Path, rows: Sequence[Expected], encoder: Encoder, progress: Progress) -> dict[Expected, Cell]:
    """The measured rows; the corpus is indexed once for each way to divide it, each run is made once."""
    asked = [row for row in rows if row.method != SIMILARITY]
    found: dict[Expected, Cell] = dict.fromkeys(asked, NO_METHOD)
    with ExitStack() as held:
        indexed: dict[str, Collection] = {}
        questions: dict[tuple[str, str], JudgedCollection] = {}
        runs: dict[tuple[str, str, str], Run] = {}
        for row in (row for row in asked if row.method in METHODS):
            if row.passages not in indexed:
                indexed[row.passages] = held.enter_context(create(None, encoder, passages=row.passages))
                indexed[row.passages].add(read_beir(folder, row.split).documents(), progress=progress)
            key = (row.passages, row.split)
            if key not in questions:
                questions[key] = JudgedCollection(indexed[row.passages], read_beir(folder, row.split))
            if (*key, row.method) not in runs:
                runs[*key, row.method] = METHODS[row.method](questions[key])
            qrels = questions[key].judged.qrels
            measured = evaluate_run(runs[*key, row.method], qrels, measures=[row.measure])[row.measure]
            found[row] = Estimate(measured.mean, measured.low, measured.high)
    return found


def _shown(table: ExpectedTable, found: dict[Expected, Cell]) -> Table:
    rows = [row for row in table.rows if row in found]
    digits = 2 if any(row.expected > 1 for row in rows) else 4
    columns = (
        Column("data"),
        Column("method"),
        Column("measure"),
        Column("expected", digits=digits),
        Column("±", digits=digits),
        Column("found", digits=digits),
        Column("verdict"),
    )
    cells = tuple(
        (
            row.data,
            row.method,
            row.measure,
            row.expected,
            row.tolerance,
            cell if isinstance(cell := found[row], Estimate) else None,
            _verdict(row, cell),
        )
        for row in rows
    )
    return Table(table.what, columns, cells, (f"source: {table.source}", f"by hand: {table.command}"))


def _verdict(row: Expected, cell: Cell) -> str:
    return row.verdict(cell.value) if isinstance(cell, Estimate) else str(cell)


def _counted(found: dict[Expected, Cell]) -> Table:
    verdicts = [_verdict(row, cell) for row, cell in found.items()]
    left_out = sum(verdict in (NO_DATA, NO_METHOD) for verdict in verdicts)
    passed = verdicts.count("pass")
    columns = (Column("pass"), Column("differ"), Column("left out"))
    return Table("The book", columns, ((passed, len(verdicts) - passed - left_out, left_out),))
