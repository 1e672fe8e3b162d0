"""Twice the load that a server sustains, for minutes: memory, statuses, and whether it is as fast afterwards."""

from __future__ import annotations

from collections.abc import Callable

from twofold.bench.serve_contenders import DENSE, HYBRID, Contender
from twofold.bench.serve_load import Answers, Load
from twofold.bench.timing import percentiles
from twofold.tables import Cell, Column, Table

CLIENTS = 32
"""Of the closed loop whose speed counts as what is sustained."""
CONNECTIONS = 1_500
"""Of the open loop: more requests than the server lets wait."""
TIMES = 2
DIFFERENT = 20_000
"""Questions of the open loop, which begins again after them: more than a server keeps vectors of."""
FASTEST = 1_000
"""Requests a second that a closed loop has at most."""
BUSY = 429
MEBIBYTE = 2**20

Row = tuple[Cell, ...]


def sustained(
    server: Contender, putting: Callable[[Load], Answers], seconds: float, overloaded: float, note: str
) -> Table:
    """A closed loop, an open one at twice its speed, and the closed one again.

    seconds: of a closed loop; overloaded: of the open one.
    """
    kind = HYBRID if HYBRID in server.ways else DENSE
    address, rows = server.running.address, list[Row]()

    def closed() -> Answers:
        return putting(Load(address, server.requests(kind, int(FASTEST * seconds) + CLIENTS), CLIENTS, seconds))

    closed()  # what is made once is made now
    before = closed()
    rows.append(_row(f"{CLIENTS} clients, before", None, before, server))
    rate = TIMES * before.rate
    requests = server.requests(kind, min(DIFFERENT, max(1, int(rate * overloaded))))
    over = putting(Load(address, requests, CONNECTIONS, overloaded, rate))
    rows.append(_row(f"{TIMES} times as many, {overloaded / 60:g} minutes", rate, over, server))
    rows.append(_row(f"{CLIENTS} clients, afterwards", None, closed(), server))
    columns = (
        Column("load"),
        Column("asked", "1/s", 1),
        Column("answered", "1/s", 1),
        Column("p50", "ms", 1),
        Column("p99", "ms", 1),
        *(Column(name) for name in ("200", "429", "other statuses")),
        Column("memory then", "MiB", 1),
    )
    notes = (
        f"{kind}; {note}",
        f"closed loops of {seconds:g} s; times of the open loop are from when a request was due",
    )
    return Table("Beyond what is sustained", columns, tuple(rows), notes)


def _row(load: str, rate: float | None, answers: Answers, server: Contender) -> Row:
    p50, _, p99 = percentiles(answers.taken) if len(answers.taken) else (None,) * 3
    good, busy = (answers.statuses.get(status, 0) for status in (200, BUSY))
    memory = server.running.memory
    others = answers.errors - busy
    return load, rate, answers.rate, p50, p99, good, busy, others, None if memory is None else memory / MEBIBYTE
