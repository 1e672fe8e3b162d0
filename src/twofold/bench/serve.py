"""Requests a second and latencies of `twofold serve` under load, beside itself without batches and beside others."""

from __future__ import annotations

import math
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from twofold.bench.serve_contenders import (
    BY_VECTOR,
    DENSE,
    EMBEDDING,
    HYBRID,
    OURS,
    Contender,
    Prepared,
    contenders,
    ours,
    prepared,
)
from twofold.bench.serve_load import Answers, Load, put
from twofold.bench.serve_questions import questions_for
from twofold.bench.serve_sustained import sustained
from twofold.bench.surroundings import header
from twofold.bench.texts import documents_of
from twofold.bench.timing import SPREAD_NOTE, percentiles, spread
from twofold.collection.building import build
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.encoders.loading import load_encoder
from twofold.errors import NotACollectionError, ServiceError
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.tables import Cell, Column, Report, Table

PEERS = ("fastapi", "uvicorn", "sentence-transformers", "torch", "chromadb")
KINDS = (HYBRID, DENSE, BY_VECTOR, EMBEDDING)
VECTORS = 2_000
"""Questions whose vectors are sent."""
WARMED, WARMING, WARM_SECONDS = 100, 8, 30.0
"""Requests of each kind that are not measured, by how many clients, and for how long at most."""
MOST = 10_000
"""Requests of one load."""
MEBIBYTE = 2**20

Putting = Callable[[Load], Answers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """The loads of one measurement.

    clients: at the same time, a load for each number. seconds: of a load. rounds: in each of which all servers take
    turns. sustain: minutes of twice the load that the server sustains, in place of all this.
    """

    clients: tuple[int, ...] = (1, 8, 32, 128)
    seconds: float = 2.0
    rounds: int = 3
    sustain: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """data: a collection, or a file or folder of documents; docstrings without. limit: only its first documents.
    queries: a file of questions; words of documents without. to: keeps what was made here, for the next run.
    """

    data: Path | None = None
    limit: int | None = None
    queries: Path | None = None
    to: Path | None = None
    encoder: Encoder | None = None


def bench_serve(given: Given, loads: Loads, progress: Progress = silent) -> Report:
    """Starts the servers as processes, and puts load on one at a time from another process.

    Raises InputError for a folder that holds the export of another collection, ServiceError where `twofold serve` does
    not start or answers with nothing, and what reading the data raises.
    """
    with ExitStack() as stack:
        folder = _folder(stack, given.to)
        data, note = _prepared(given, folder, progress)
        clients = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        stack.callback(clients.shutdown)

        def putting(load: Load) -> Answers:
            return clients.submit(put, load).result()

        if loads.sustain is not None:
            server = ours(stack, data, OURS)
            server.check()
            return Report(header(), [sustained(server, putting, loads.seconds, loads.sustain * 60, note)])
        servers, lacking = contenders(stack, data)
        notes = (note, *lacking)
        return Report(header(PEERS), _measured(servers, putting, loads, notes, progress))


def _folder(stack: ExitStack, to: Path | None) -> Path:
    if to is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofold-bench-")))
    os.makedirs(to, exist_ok=True)
    return to


@contextmanager
def _opened(given: Given, folder: Path, progress: Progress) -> Iterator[Collection]:
    """The collection that was given or is in `folder` from before, or one of the documents."""
    for path in (given.data, folder / "bench.twofold"):
        if path is not None:
            try:
                collection = open_collection(path, given.encoder if path == given.data else None)
            except NotACollectionError:
                continue
            with collection:
                yield collection
                return
    documents = list(islice(documents_of(given.data), given.limit))
    encoder = given.encoder or load_encoder()
    collection, _ = build(documents, folder / "bench.twofold", encoder=encoder, progress=progress)
    with collection:
        collection.tune()
        yield collection


def _prepared(given: Given, folder: Path, progress: Progress) -> tuple[Prepared, str]:
    with _opened(given, folder, progress) as collection:
        data = prepared(collection, folder, questions_for(collection, given.queries), VECTORS)
        info = collection.info()
    index = info.index.kind if info.index is not None and info.index.reached is not None else "exact"
    size = f"{info.documents:,} documents, {info.passages:,} vectors of {info.contract.dimension} numbers, {index}"
    asked = f"{len(data.texts):,} questions, none asked twice"
    return data, f"{size}; {asked}; clients in a process of their own on the same cores"


def _measured(
    servers: Sequence[Contender], putting: Putting, loads: Loads, notes: Sequence[str], progress: Progress
) -> list[Table]:
    kinds = [kind for kind in KINDS if any(kind in each.ways for each in servers)]
    rates = {(each.name, kind): _warmed(each, kind, putting) for each in servers for kind in each.ways}
    before = {each.name: each.running.memory for each in servers}
    tables: list[Table] = []
    whole = len(kinds) * len(loads.clients)
    for kind in kinds:
        able = [each for each in servers if kind in each.ways]
        rows: list[tuple[Cell, ...]] = []
        for clients in loads.clients:
            found: dict[str, list[Answers]] = {each.name: [] for each in able}
            for turn in range(loads.rounds):
                for each in able if turn % 2 == 0 else able[::-1]:
                    count = math.ceil(1.5 * rates[each.name, kind] * loads.seconds) + clients
                    requests = each.requests(kind, min(count, MOST))
                    answers = putting(Load(each.running.address, requests, clients, loads.seconds))
                    rates[each.name, kind] = max(rates[each.name, kind], answers.rate)
                    found[each.name].append(answers)
            rows += _rows(clients, found)
            progress(len(tables) * len(loads.clients) + loads.clients.index(clients) + 1, whole)
        tables.append(_table(kind, rows, loads, notes))
    repeated = sum(each.questions.repeated for each in servers)
    told = [f"{repeated:,} questions were asked again, because there were too few"] if repeated else []
    return [*tables, _memory({each.name: (before[each.name], each.running.memory) for each in servers}, told)]


def _warmed(server: Contender, kind: str, putting: Putting) -> float:
    """Requests a second without measuring: what is made once is made now. Raises ServiceError where all fail."""
    answers = putting(Load(server.running.address, server.requests(kind, WARMED), WARMING, WARM_SECONDS))
    if not len(answers.taken):
        raise ServiceError(f"{server.name} answers no request for {kind}: {dict(answers.statuses)}")
    return answers.rate


def _rows(clients: int, found: Mapping[str, Sequence[Answers]]) -> Iterator[tuple[Cell, ...]]:
    first = np.array([each.rate for each in found[OURS]])
    for name, rounds in found.items():
        rates = np.array([each.rate for each in rounds])
        taken = np.concatenate([each.taken for each in rounds])
        times: tuple[Cell, ...] = percentiles(taken) if len(taken) else (None,) * 3
        ratio = spread(first / rates) if name != OURS and rates.all() else None
        yield name, clients, spread(rates), *times, sum(each.errors for each in rounds), ratio


def _table(kind: str, rows: Sequence[tuple[Cell, ...]], loads: Loads, notes: Sequence[str]) -> Table:
    columns = (
        Column("server"),
        Column("clients"),
        Column("requests", "1/s", 1),
        *(Column(name, "ms", 1) for name in ("p50", "p95", "p99")),
        Column("errors"),
        Column("twofold is", "times", 2),
    )
    turns = f"{SPREAD_NOTE}: {loads.rounds}, servers taking turns for {loads.seconds:g} s each; an error is any status"
    return Table(f"{kind[0].upper()}{kind[1:]}", columns, tuple(rows), (f"{turns} but 200", *notes))


def _memory(sizes: Mapping[str, tuple[int | None, int | None]], notes: Sequence[str]) -> Table:
    columns = (Column("server"), Column("before", "MiB", 1), Column("after", "MiB", 1))
    rows = tuple((name, *(None if each is None else each / MEBIBYTE for each in both)) for name, both in sizes.items())
    said = "anonymous memory of the process and its children, before the first load and after the last"
    return Table("Memory", columns, rows, (said, *notes))
