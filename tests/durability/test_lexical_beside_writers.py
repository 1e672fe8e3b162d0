"""Lexical search beside writers: what was acknowledged is found at once, nobody waits, a kill leaves a good index."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.lexical.index import LexicalIndex

ADDITIONS = 200
QUESTIONS = ("number", "number 7", "text of three")


def texts(first: int, end: int) -> list[tuple[str, str]]:
    return [(f"d{n:05}", f"text of number {n} and {n % 7}") for n in range(first, end)]


def answers(collection: Collection) -> list[list[tuple[str, float]]]:
    found = [collection.search(question, mode="lexical", k=50) for question in QUESTIONS]
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with twofold.create(tmp_path / "c", twofold.HashedWords(16)) as made:
        made.add(texts(0, 500))
        made.tune()
    return tmp_path / "c"


def test_threads_that_search_and_one_that_adds_neither_fail_nor_miss_what_was_added(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.engines.local.maintaining.BEHIND", 20)  # so that the index goes on in the midst of it
    failures: list[BaseException] = []
    added, done = 0, threading.Event()

    def search(collection: Collection) -> None:
        try:
            while not done.is_set():
                known = added
                name = f"unique{known}"
                if known:
                    assert [hit.id for hit in collection.search(name, mode="lexical")] == [name]
                assert collection.search("number", mode="lexical", k=5)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    with twofold.open(path) as writer, twofold.open(path) as reader:
        threads = [threading.Thread(target=search, args=(each,)) for each in (writer, reader, reader)]
        for thread in threads:
            thread.start()
        for number in range(1, ADDITIONS + 1):
            writer.add([(f"unique{number}", f"unique{number} number")])
            added = number
        done.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
    (folder,) = (path / "lexical").glob("*/*")
    assert LexicalIndex.open(folder).end > 600


READER = """
import sys, twofold
with twofold.open(sys.argv[1]) as collection:
    for line in sys.stdin:
        print([hit.id for hit in collection.search(line.strip(), mode="lexical")], flush=True)
"""


def test_another_process_finds_a_document_as_soon_as_it_was_added_while_the_lock_is_held(path: Path) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with reader, twofold.open(path) as collection, collection.writing():
        for number in range(20):
            collection.add([(f"new{number}", f"zyzzyva{number}")])
            reader.stdin.write(f"zyzzyva{number}\n")
            reader.stdin.flush()
            assert reader.stdout.readline().strip() == f"['new{number}']"
        reader.stdin.close()
    assert reader.returncode == 0


KILLED = """
import os, sys, twofold
from twofold.engines.local.writer import Writer
from twofold.lexical import state
from twofold.lexical.index import LexicalIndex
path, work, moment = sys.argv[1:]
left = [2 if moment == "noted" and work == "analyser" else 1]
def killing(function, before):
    def killed(*arguments, **named):
        left[0] -= 1
        if before and not left[0]:
            os.kill(os.getpid(), 9)
        made = function(*arguments, **named)
        if not left[0]:
            os.kill(os.getpid(), 9)
        return made
    return killed
if moment == "noted":
    state.write = killing(state.write, False)
elif moment == "extended":
    LexicalIndex.extended = killing(LexicalIndex.extended, False)
elif moment == "publishing":
    Writer.put_state = killing(Writer.put_state, True)
elif moment == "published":
    Writer.put_state = killing(Writer.put_state, False)
with twofold.open(path) as collection:
    if work == "analyser":
        collection.tune(analyser="plain")
    elif work == "optimize":
        collection.optimize()
    else:
        with collection.writing() as writer:
            writer._following(lambda *_: None).follow()
"""
UNPUBLISHED = [("analyser", each) for each in ("noted", "extended", "publishing")]
KILLS = [*UNPUBLISHED, *(("optimize", each) for each in ("noted", "extended", "publishing", "published"))]
KILLS += [("follow", "noted"), ("follow", "extended")]


@pytest.mark.parametrize(("work", "moment"), KILLS)
def test_a_kill_leaves_what_was_there_or_what_was_to_come(path: Path, work: str, moment: str) -> None:
    with twofold.open(path) as collection:
        collection.delete([f"d{n:05}" for n in range(40)])
        collection.add(texts(500, 560))
        before = answers(collection)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), work, moment], check=False)
    assert killed.returncode == -9
    with twofold.open(path) as collection:
        after = answers(collection)
        if moment != "published":
            assert after == before
        assert collection.verify().clean
        collection.optimize()
        assert len(list((path / "lexical").glob("*/*"))) == 1
        again = answers(collection)
        assert moment != "published" or again == after
    with twofold.create(path.with_name("fresh"), twofold.HashedWords(16)) as fresh:
        fresh.add([*texts(40, 500), *texts(500, 560)])
        fresh.tune()
        assert answers(fresh) == again


def test_nothing_but_the_state_says_which_index_it_is(path: Path) -> None:
    (folder,) = (path / "lexical").glob("*/*")
    with twofold.open(path) as collection, collection._engine.snapshot() as snapshot:
        assert snapshot.state("lexical")["folder"] == folder.name
        assert LexicalIndex.noted_end(folder) == 500
    assert os.listdir(folder.parent) == [folder.name]
