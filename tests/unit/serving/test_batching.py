"""Requests that arrive together are worked on together, and beyond a bound they are refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from twofold.errors import BusyError
from twofold.serving.batching import Batches
from twofold.serving.metrics import Metrics


class Work:
    """Doubles numbers, once it may; -1 fails."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int | BaseException]:
        self.may.wait(30)
        self.batches.append(list(items))
        return [ValueError("no") if each < 0 else 2 * each for each in items]


async def asked(work: Work, batches: Batches[int, int]) -> None:
    """What the first test does, in a loop."""
    first = asyncio.create_task(batches.ask(1))
    await asyncio.sleep(0)
    others = [asyncio.create_task(batches.ask(each)) for each in (2, 3, -1, 5)]
    await asyncio.sleep(0)
    others[1].cancel()
    with pytest.raises(BusyError):
        await batches.ask(6)
    work.may.set()
    assert await first == 2
    assert await others[0] == 4
    with pytest.raises(ValueError, match="no"):
        await others[2]
    assert await others[3] == 10


def test_what_waits_is_one_batch_without_what_was_given_up_and_too_much_is_refused() -> None:
    work = Work()
    with ThreadPoolExecutor(1) as threads:

        async def run() -> None:
            await asked(work, Batches("test", work, threads, Metrics(), most=8, waiting=4))

        asyncio.run(run())
    assert work.batches == [[1], [2, -1, 5]]
