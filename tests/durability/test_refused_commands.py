"""Every command that writes on a disk that refuses: nothing acknowledged is lost, the message says what to do, and the
same command again succeeds once there is space.
"""

from __future__ import annotations

import errno
import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from faults import refusing, watched
from mounting import remounted, small_disk
from states import State, between, state

from twofold.cli.main import main
from twofold.collection import adding
from twofold.engines.local.spaces import segments

QUESTIONS = ("number 7", "two")
AT_ONCE = 4
FIRST = [{"id": f"d{n}", "text": f"text number {n} ", "n": n} for n in range(14)]
LATER = [{"id": f"d{n}", "text": f"version two of {n}", "n": n} for n in range(8, 20, 2)]
FAULTS = [(errno.ENOSPC, False), (errno.ENOSPC, True), (errno.EIO, False), (errno.EROFS, True)]
"""(what the disk says, whether it goes on saying so)."""
NAMES = ["index", "add", "delete", "optimize", "backup", "export"]
PAGE = 4096
COPIES = ("backup", "export")


class Course:
    """Every command that writes, with the state before it and after it, in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        for name, records in (("first.jsonl", FIRST), ("later.jsonl", LATER)):
            (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
        self.states = [State({}, [])]
        self.kept = [folder / "none"]
        for number, name in enumerate(NAMES):
            assert self.run(name, folder / "undisturbed") == (0, "")
            self.states.append(state(folder / "undisturbed", QUESTIONS))
            self.kept.append(shutil.copytree(folder / "undisturbed", folder / f"kept {number}"))
        shutil.rmtree(folder / "undisturbed")
        self.clear(folder)

    def words(self, name: str, place: Path) -> list[str]:
        first, later, copy = self.folder / "first.jsonl", self.folder / "later.jsonl", place.parent / f"the {name}"
        return {
            "index": ["index", str(first), "--to", str(place), "--encoder", "hashed-words:16"],
            "add": ["add", str(place), str(later)],
            "delete": ["delete", str(place), "--where", '{"n": {"$gte": 9}}'],
            "optimize": ["optimize", str(place)],
            "backup": ["backup", str(place), "--to", str(copy)],
            "export": ["export", str(place), "--to", str(copy)],
        }[name]

    def run(self, name: str, place: Path) -> tuple[int, str]:
        """The exit status, and what was said on standard error."""
        status = main(self.words(name, place))
        return status, self.capsys.readouterr().err

    def begun(self, name: str, place: Path) -> Path:
        """A place with what the command starts from."""
        self.clear(place.parent)
        shutil.rmtree(place, ignore_errors=True)
        kept = self.kept[NAMES.index(name)]
        if kept.exists():
            shutil.copytree(kept, place)
        return place

    def clear(self, folder: Path) -> None:
        for each in [*folder.glob("the *"), *folder.glob(".the *")]:
            shutil.rmtree(each)

    def refused(self, name: str, place: Path, said: tuple[int, str], *, removes: bool = True) -> bool:
        """Checks what a disk that refused has left; gives whether the command noticed at all.

        removes: whether the disk lets files be removed after it has refused.
        """
        status, message = said
        before, after = self.states[NAMES.index(name) : NAMES.index(name) + 2]
        found = state(place, QUESTIONS)
        between(name, found.documents, before.documents, after.documents, AT_ONCE)
        if status == 0:  # who holds the lock is a courtesy, and a spare connection may be opened again
            assert found == after
            return False
        assert status == 1
        assert message.count("\n") == 1
        assert "Nothing that was acknowledged is lost; free disk space or fix permissions, and run again." in message
        if name in COPIES and removes:
            assert [each.name for each in place.parent.iterdir() if f"the {name}" in each.name] == []
        return True

    def again(self, name: str, place: Path) -> None:
        """The same command, now that there is space."""
        self.clear(place.parent)
        assert self.run(name, place) == (0, "")
        assert state(place, QUESTIONS) == self.states[NAMES.index(name) + 1]
        if name == "backup":
            assert state(place.parent / "the backup", QUESTIONS) == self.states[-1]


@pytest.fixture
def course(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(adding, "ENCODED_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    return Course(tmp_path, capsys)


def refuse_each_effect(
    course: Course, name: str, faults: list[tuple[int, bool]], first: int = 0, every: int = 1
) -> int:
    """Refuses every nth effect of a command on files, with each fault; gives how often it noticed."""
    noticed = 0
    for error, stays in faults:
        number = first
        while True:
            place = course.begun(name, course.folder / "c")
            with watched(refusing(number, error, stays=stays)) as done:
                said = course.run(name, place)
            noticed += course.refused(name, place, said, removes=error != errno.EROFS)
            course.again(name, place)
            if len(done) <= number and said[0] == 0:
                break
            number += every
    return noticed


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses every byte beyond `size` in any file, SQLite's too."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)


def limit(course: Course, name: str, sizes: range) -> int:
    """Runs a command under each limit of the size of a file; gives how often it noticed."""
    noticed = 0
    for size in sizes:
        place = course.begun(name, course.folder / "c")
        with files_no_larger_than(size):
            said = course.run(name, place)
        noticed += course.refused(name, place, said)
        course.again(name, place)
    return noticed


@pytest.mark.parametrize("name", NAMES)
def test_an_effect_that_is_refused_loses_nothing_and_the_command_succeeds_later(course: Course, name: str) -> None:
    for number, fault in enumerate(FAULTS):
        assert refuse_each_effect(course, name, [fault], first=number, every=9) >= (name != "delete")
    assert limit(course, name, range(0, 60_000, 20_000)) >= 1


@pytest.mark.long
def test_every_effect_and_every_size_refused_loses_nothing(course: Course) -> None:
    for name in NAMES:
        effects = refuse_each_effect(course, name, FAULTS)
        sizes = limit(course, name, range(0, 120_000, 1_000))
        with course.capsys.disabled():
            print(f"{name}: {effects} refused effects and {sizes} limits noticed")
        assert effects >= 1
        assert sizes >= 3


def fill(path: Path, leave: int) -> None:
    """Fills a disk with one file, but for so many bytes."""
    with path.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        file.truncate(file.tell() - leave)


def test_a_full_disk_is_said_and_the_same_command_goes_on_once_there_is_space(course: Course) -> None:
    """The disk is filled to its last page but one; SQLite's own files meet it too."""
    with small_disk(course.folder / "disk", "2m") as disk:
        for name in NAMES:
            place = course.begun(name, disk / "c")
            filler = disk / "filler"
            fill(filler, leave=PAGE)
            said = course.run(name, place)
            filler.unlink()  # SQLite's readers need a little space too
            assert course.refused(name, place, said)
            course.again(name, place)
            shutil.rmtree(place)


def test_a_read_only_disk_is_said_and_can_be_searched(course: Course) -> None:
    with small_disk(course.folder / "disk", "2m") as disk:
        for name in NAMES:
            place = course.begun(name, disk / "c")
            remounted(disk, "ro")
            said = course.run(name, place)
            assert course.refused(name, place, said, removes=False)
            assert "Read-only file system" in said[1] or "readonly" in said[1]
            remounted(disk, "rw")
            course.again(name, place)
