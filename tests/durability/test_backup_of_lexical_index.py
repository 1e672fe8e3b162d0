"""A backup takes the lexical index along: opened, it answers as the collection did, and reads nothing again."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.engines.local.disk import Disk
from twofold.engines.local.document_snapshot import DocumentSnapshot
from twofold.engines.local.engine import Store
from twofold.lexical.index import LexicalIndex

QUESTIONS = ("number", "number 7", "text of 3", '"of number" -7')


def texts(first: int, end: int) -> list[tuple[str, str]]:
    return [(f"d{n:05}", f"text of number {n} and {n % 7}") for n in range(first, end)]


def answers(collection: Collection) -> list[list[tuple[str, float]]]:
    with collection.searcher(query_language=True, depth=1_000) as searcher:
        found = [searcher.search(question, mode="lexical", k=1_000) for question in QUESTIONS]
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


def words_of(collection: Path) -> Path:
    """Where the lexical index of a collection stands."""
    (folder,) = (collection / "lexical").glob("*/*")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with twofold.create(tmp_path / "c", twofold.HashedWords(16)) as made:
        made.add(texts(0, 400))
        made.tune()
        made.add(texts(400, 500))
        made.delete(["d00007", "d00450"])
    return tmp_path / "c"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the documents whose texts are read for lexical search."""
    seen: list[int] = []
    written = DocumentSnapshot.written

    def counted(self: DocumentSnapshot, first: int, since: int) -> Iterator[tuple[int, str, str]]:
        for number, title, text in written(self, first, since):
            seen.append(number)
            yield number, title, text

    monkeypatch.setattr(DocumentSnapshot, "written", counted)
    return seen


def test_a_backup_answers_as_the_collection_and_reads_no_more_than_it(
    path: Path, tmp_path: Path, read: list[int]
) -> None:
    with twofold.open(path) as collection:
        expected = answers(collection)
        by_collection = sorted(set(read))
        collection.backup(tmp_path / "copy")
    assert by_collection == list(range(400, 500))  # what the index lacks still
    read.clear()
    with twofold.open(tmp_path / "copy") as copy:
        assert answers(copy) == expected
        assert sorted(set(read)) == by_collection
        assert copy.verify().clean
    assert words_of(tmp_path / "copy").parent.name != words_of(path).parent.name  # each collection has its own


def test_a_backup_of_an_index_that_lacks_nothing_reads_nothing(path: Path, tmp_path: Path, read: list[int]) -> None:
    with twofold.open(path) as collection:
        collection.maintain(60)
        collection.backup(tmp_path / "copy")
        expected = answers(collection)
    read.clear()
    with twofold.open(tmp_path / "copy") as copy:
        assert answers(copy) == expected
    assert read == []


def test_a_backup_can_be_written_to_and_its_index_goes_on(
    path: Path, tmp_path: Path, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with twofold.open(path) as collection:
        collection.backup(tmp_path / "copy")
        folder = words_of(tmp_path / "copy")
        files = {each.name for each in folder.iterdir()}
        with twofold.open(tmp_path / "copy") as copy:
            monkeypatch.setattr("twofold.engines.local.maintaining.BEHIND", 1)
            for each in (collection, copy):
                each.add(texts(600, 620))
            assert words_of(tmp_path / "copy") == folder
            assert LexicalIndex.open(folder).end == 520
            assert min(read) == 400
            assert answers(copy) == answers(collection)
            for number in range(10):  # segments are merged, and tantivy removes those that it was given
                copy.add(texts(700 + number, 701 + number))
            copy.maintain(60)
            assert copy.verify().clean
    assert not files & {each.name for each in folder.iterdir() if each.suffix == ".idx"}


def test_a_backup_is_of_its_commit_whatever_the_index_reads_meanwhile(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.engines.local.maintaining.BEHIND", 1)

    class Writing(Disk):
        """Adds, merges and makes the index anew between two steps of a backup."""

        def reached(self, step: str) -> None:
            if step in ("catalogue copied", "segment copied"):
                with twofold.open(path) as other:
                    for number in range(10):
                        other.add([(f"{step} {number}", "text of number late")])
                    if step == "segment copied":
                        other.optimize()

    with twofold.open(path) as collection:
        expected = answers(collection)
    with Store.open(path, disk=Writing()) as store:
        store.backup(tmp_path / "copy")
    with twofold.open(tmp_path / "copy") as copy:
        assert answers(copy) == expected
        assert copy.verify().clean
    assert words_of(tmp_path / "copy").exists()


def test_backups_beside_a_writer_find_all_documents_of_their_commit_and_no_others(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.engines.local.maintaining.BEHIND", 5)
    done, failures = threading.Event(), list[BaseException]()

    def write() -> None:
        try:
            with twofold.open(path) as writer:
                number = 500
                while not done.is_set():
                    writer.add(texts(number, number + 3))
                    writer.delete([f"d{number + 1:05}"])
                    number += 3
                    if number % 30 == 0:
                        writer.optimize()
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    thread = threading.Thread(target=write)
    with twofold.open(path) as collection:
        thread.start()
        for number in range(6):
            collection.backup(tmp_path / str(number))
        done.set()
        thread.join()
    assert not failures, failures[0]
    for number in range(6):
        with twofold.open(tmp_path / str(number)) as copy:
            with copy.searcher(depth=10_000) as searcher:
                found = sorted(hit.id for hit in searcher.search("number", mode="lexical", k=10_000))
            assert found == sorted(document.id for document in copy)
            assert copy.verify().clean
        with Store.open(tmp_path / str(number)) as store, store.snapshot() as snapshot:
            # an index that has read more would be of no use to it
            assert LexicalIndex.noted_end(words_of(tmp_path / str(number))) <= snapshot.head.next_document


@pytest.mark.parametrize("part", [".idx", ".run", "read.json", "meta.json"])
@pytest.mark.parametrize("damage", [lambda content: content[:-3], lambda content: b"x" + content[1:], None])
def test_a_damaged_index_is_left_out_of_a_backup(
    path: Path, tmp_path: Path, part: str, damage: Callable[[bytes], bytes] | None
) -> None:
    with twofold.open(path) as collection:
        expected = answers(collection)
    file = next(each for each in words_of(path).iterdir() if each.name.endswith(part) and each.name[0] != ".")
    content = file.read_bytes()
    file.unlink()  # a file that is mapped must not be cut
    if damage is not None:
        file.write_bytes(damage(content))
    with twofold.open(path) as collection:
        collection.backup(tmp_path / "copy")
    assert not (tmp_path / "copy" / "lexical").exists()
    with twofold.open(tmp_path / "copy") as copy:
        assert answers(copy) == expected
        assert copy.verify().clean


KILLED = """
import os, sys
from pathlib import Path
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
class Killing(Disk):
    left = int(sys.argv[3])
    def sync(self, descriptor, path):
        super().sync(descriptor, path)
        Killing.left -= 1
        if not Killing.left:
            os.kill(os.getpid(), 9)
with Store.open(Path(sys.argv[1]), disk=Killing()) as store:
    store.backup(sys.argv[2])
"""


def test_a_backup_that_is_killed_at_any_sync_is_not_there(path: Path, tmp_path: Path) -> None:
    target, killed = tmp_path / "copy", 0
    for number in range(1, 100):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(target), str(number)], check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -9
        assert not target.exists()
        killed += 1
    assert killed > 10
    with twofold.open(path) as collection, twofold.open(target) as copy:
        assert answers(copy) == answers(collection)
