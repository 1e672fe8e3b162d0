"""Turns of look-ups: so many at once, in the order of asking, and nobody waits for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local import turns as turning
from twofold.engines.local.derived.lexical import scored
from twofold.engines.local.spaces import dense
from twofold.engines.local.turns import Turns

LONG = 60.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ends in time because somebody went on without a turn."""
    monkeypatch.setattr(turning, "PATIENCE", LONG)


def waiting(turns: Turns, count: int) -> None:
    """Returns when so many wait for a turn."""
    while len(turns._waiting) != count:
        time.sleep(0.001)


def in_threads(count: int, work: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_no_more_than_so_many_run_at_once_and_all_of_them_run() -> None:
    turns, running, most = Turns(2), [], []

    def work(number: int) -> None:
        for _ in range(50):
            with turns.taken():
                running.append(number)
                most.append(len(running))
                time.sleep(0)
                running.remove(number)

    for thread in in_threads(6, work):
        thread.join()
    assert len(most) == 300
    assert max(most) <= 2
    assert turns._free == 2


def test_turns_are_given_in_the_order_of_asking() -> None:
    turns, order = Turns(1), []

    def work(number: int) -> None:
        with turns.taken():
            order.append(number)

    with turns.taken():
        threads = []
        for number in range(5):
            threads += [threading.Thread(target=work, args=(number,))]
            threads[-1].start()
            waiting(turns, number + 1)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_turn_is_passed_on_when_the_block_fails() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(KeyError), turns.taken():
            raise KeyError("x")
    assert turns._free == 1


def test_who_has_waited_long_goes_on_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "PATIENCE", 0.01)
    turns, done = Turns(1), []
    with turns.taken():

        def work(number: int) -> None:
            with turns.taken():
                done.append(number)

        for thread in in_threads(2, work):
            thread.join()
        assert sorted(done) == [0, 1]
    assert turns._free == 1
    assert not turns._waiting


def test_who_is_interrupted_while_waiting_leaves_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def acquire(self, timeout: float = 0) -> bool:
            if timeout:
                raise KeyboardInterrupt
            return True

    turns = Turns(1)
    with turns.taken():
        monkeypatch.setattr(threading, "Lock", Interrupted)
        with pytest.raises(KeyboardInterrupt), turns.taken():
            pass
        assert not turns._waiting
    assert turns._free == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_all_turns_whoever_had_them() -> None:
    turns = Turns(1)
    with ExitStack() as stack:
        begun, ended = threading.Event(), threading.Event()

        def hold(_: int) -> None:
            with turns.taken():
                begun.set()
                ended.wait()

        stack.callback(ended.set)
        in_threads(1, hold)
        begun.wait()
        child = os.fork()
        if child == 0:
            os._exit(turns._free)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.fixture
def collection() -> Iterator[Collection]:
    with create(None, HashedWords(32)) as made:
        made.add([(f"d{number}", f"word{number} and word{number % 7}") for number in range(50)])
        made.tune()
        yield made


@pytest.mark.parametrize("mode", ["dense", "lexical", "hybrid"])
def test_every_look_up_takes_a_turn_and_gives_it_back(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    class Counting(Turns):
        taken_by: int = 0

        @contextmanager
        def taken(self) -> Iterator[None]:
            self.taken_by += 1
            with super().taken():
                yield

    counting = Counting(1)
    for module in (dense, scored):
        monkeypatch.setattr(module, "turns", counting)
    assert collection.search("word3", mode=mode)
    assert counting.taken_by == {"dense": 1, "lexical": 1, "hybrid": 2}[mode]
    assert counting._free == 1
    assert len(collection.search_many(np.eye(32, dtype=np.float32)[:8])) == 8
    assert counting._free == 1
