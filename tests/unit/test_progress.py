"""Progress as text: a line that is rewritten where people watch, else a line from time to time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from twofold import progress as telling
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.evaluation.evaluating import evaluate
from twofold.progress import Display, displayed, silent

DOCUMENTS = [(str(number), f"text number {number}") for number in range(600)]


class Terminal(io.StringIO):
    """A stream on which lines can be rewritten."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_work_that_ends_soon_shows_nothing_where_there_is_no_terminal(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display("Indexing", "documents", stream=stream, clock=clock)
    clock.seconds += 9.9
    display(500, 1000)
    display.close()
    assert stream.getvalue() == ""


def test_long_work_shows_a_line_every_ten_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display("Indexing", "documents", stream=stream, clock=clock)
    for done in range(100, 2600, 100):  # one call a second
        clock.seconds += 1
        display(done, 6000)
    assert stream.getvalue().splitlines() == [
        "Indexing: 1,000 of 6,000 documents, 100/s, 0:50 left",
        "Indexing: 2,000 of 6,000 documents, 100/s, 0:40 left",
    ]


def test_a_stage_that_begins_again_has_a_rate_of_its_own(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display("Indexing", "documents", stream=stream, clock=clock)
    clock.seconds += 20
    display(10_000, 10_000)
    display(0, 100)
    clock.seconds += 10
    display(20, 100)
    assert stream.getvalue().splitlines()[-1] == "Indexing: 20 of 100 documents, 2.0/s, 0:40 left"


@pytest.mark.parametrize("wrong", [1, "yes", 0.5])
def test_what_is_no_progress_is_refused_before_anything_is_stored(wrong: Any) -> None:
    with create(None, HashedWords(16)) as collection:
        with pytest.raises(InputError, match="progress is True, False or a function"):
            collection.add([("a", "text")], progress=wrong)
        assert len(collection) == 0
        assert collection.add([("a", "text")], progress=None).added == 1  # type: ignore[arg-type]  # as people write


@pytest.mark.parametrize(("known", "shown"), [(lambda: 50, "20 of 50 texts"), (lambda: None, "20 texts")])
def test_a_total_that_the_work_does_not_know_is_asked_for_once_and_only_for_long_work(
    clock: Clock, known: Callable[[], int | None], shown: str
) -> None:
    stream, asked = io.StringIO(), []

    def total() -> int | None:
        asked.append(True)
        return known()

    display = Display("Encoding", "texts", stream=stream, known=total, clock=clock)
    display(10, None)
    assert not asked
    for _ in range(3):
        clock.seconds += 10
        display(20, None)
    assert len(asked) == 1
    assert stream.getvalue().splitlines()[0].startswith(f"Encoding: {shown}, 2.0/s")


def test_work_that_counts_tokens_says_how_many_a_second(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display("Encoding", "texts", stream=stream, clock=clock)
    clock.seconds += 10
    display.encoded(50_000)
    display(100, 300)
    assert stream.getvalue() == "Encoding: 100 of 300 texts, 10/s, 5,000 tokens/s, 0:20 left\n"


def test_a_terminal_has_one_line_that_is_rewritten_and_ended(clock: Clock) -> None:
    stream = Terminal()
    display = Display("Indexing", "documents", stream=stream, clock=clock)
    for done in (100_000, 100_001, 3):
        clock.seconds += 1
        display(done, None)
    display.close()
    states = stream.getvalue().removesuffix("\n").split("\r")
    assert states[0] == ""
    assert states[1].startswith("Indexing: 100,000 documents")
    assert states[-1].startswith("Indexing: 3 documents")
    assert len(states[-1]) >= len(states[-2].rstrip())  # nothing of the longer line is left standing
    assert stream.getvalue().endswith("\n")


def test_a_notebook_is_no_terminal_and_still_has_one_line(clock: Clock) -> None:
    kernel = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    display = Display("Indexing", "documents", stream=kernel, clock=clock)
    clock.seconds += 1
    display(5, None)
    assert kernel.getvalue().startswith("\rIndexing: 5 documents")


def test_a_function_is_called_and_false_is_silent() -> None:
    told: list[tuple[int, int | None]] = []
    with displayed(lambda done, total: told.append((done, total)), "Adding", "documents") as shown:
        shown(1, 2)
    assert told == [(1, 2)]
    with displayed(False, "Adding", "documents") as shown:
        assert shown is silent


def test_progress_true_is_shown_by_every_long_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    monkeypatch.setattr(telling, "EVERY", 0.0)
    queries = {"a": "number 3", "b": "number 4"}

    def shown() -> str:
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    with create(None, HashedWords(16)) as collection:
        collection.add(DOCUMENTS, progress=True)
        assert "Adding: 256 of 600 documents" in shown()
        collection.update([{"id": "1", "title": "one"}], progress=True)
        assert "Updating: 1 documents" in shown()
        collection.tune(analyser="plain", progress=True)
        assert "Building the lexical index: 600 documents" in shown()
        collection.delete(["7"])
        collection.optimize(progress=True)
        assert "Optimizing: " in shown()
        collection.search_many(list(queries.values()), progress=True)
        assert "Searching: 2 of 2 queries" in shown()
        collection.run(queries, progress=True)
        assert "Searching: 2 of 2 queries" in shown()
        evaluate(collection, queries, {"a": {"3": 1}, "b": {"4": 1}}, progress=True)
        assert "Searching: 2 of 2 queries" in shown()
        collection.migrate(HashedWords(32), progress=True)
        assert "Encoding: 256 of 599 documents" in shown()
        collection.verify(progress=True)
        assert "Verifying: " in shown()
        collection.backup(f"{tmp_path}/copy", progress=True)
        assert "Copying and verifying: " in shown()
        collection.export(f"{tmp_path}/files", progress=True)
        assert "Exporting: " in shown()
        collection.add(DOCUMENTS[:3])
        assert shown() == ""


def test_a_searcher_whose_run_takes_no_progress_is_evaluated_all_the_same() -> None:
    class Mine:
        def search(self, query: object, **_: object) -> list[object]:
            return []

        def run(self, queries: dict[str, str], *, depth: int = 1000) -> dict[str, dict[str, float]]:
            return {query: {"1": 1.0} for query in queries}

    found = evaluate(Mine(), {"a": "text"}, {"a": {"1": 1}}, progress=True)  # type: ignore[arg-type]
    assert found["nDCG@10"].mean == 1.0
