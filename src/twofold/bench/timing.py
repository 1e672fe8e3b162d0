"""Timing side by side: contenders take turns in one process, and medians are quoted with their spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.tables import Estimate

Seconds = NDArray[np.float64]
Work = Callable[[], object]
Workload = tuple[Callable[[Any], object], Sequence[Any]]

MILLISECONDS = 1e3
SPREAD_NOTE = "median [lowest, highest] of the rounds"


def seconds(work: Work) -> float:
    """How long one call takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternating(contenders: Mapping[str, Work], rounds: int) -> dict[str, Seconds]:
    """Seconds of each contender in each round, float64 (rounds,) by name.

    Each runs once unmeasured, then once in every round; every second round is in reverse order, so that none always
    follows the same one.
    """
    for work in contenders.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            taken[name].append(seconds(contenders[name]))
    return {name: np.array(each) for name, each in taken.items()}


def latencies(contenders: Mapping[str, Workload], rounds: int) -> dict[str, Seconds]:
    """Seconds of every single call, float64 (rounds * items,) by name.

    contenders: what is called, and the items it is called with. In its turn a contender takes all of its items one
    after the other: spinning threads of another library then disturb only the first call.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}

    def turn(name: str) -> None:
        ask, items = contenders[name]
        taken[name] += [seconds(partial(ask, item)) for item in items]

    alternating({name: partial(turn, name) for name in contenders}, rounds)
    return {name: np.array(each[len(contenders[name][1]) :]) for name, each in taken.items()}


def spread(values: Seconds) -> Estimate:
    """The median between the lowest and the highest."""
    return Estimate(float(np.median(values)), float(values.min()), float(values.max()))


def percentiles(values: Seconds) -> tuple[float, float, float]:
    """p50, p95 and p99 in milliseconds; values are seconds."""
    p50, p95, p99 = np.percentile(values * MILLISECONDS, [50, 95, 99]).tolist()
    return p50, p95, p99
