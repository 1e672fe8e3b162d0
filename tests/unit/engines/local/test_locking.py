"""One writer: others are told who it is, or wait; a dead one holds nothing; a fork takes nothing along."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from storing import block, content, document, expected, new_store

from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.lock_file import LockFile
from twofold.engines.local.locking import Patience
from twofold.errors import CollectionError, LockedError, StorageError

HOLDS = """
import sys, time
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
with Store.open(sys.argv[1]).writing():
    print("held", flush=True)
    time.sleep(60)
"""

DIES_WHILE_ITS_CHILD_LIVES = """
import os, sys, time
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
with Store.open(sys.argv[1]).writing():
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new_store(tmp_path / "c").close()
    return tmp_path / "c"


def test_another_process_is_named_and_its_death_frees_the_lock(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with Store.open(folder) as store:
            with pytest.raises(LockedError, match=f"process {other.pid} on .* is writing"), store.writing():
                pass
            begun = time.monotonic()
            with pytest.raises(LockedError), store.writing(wait=0.2):
                pass
            assert time.monotonic() - begun >= 0.2
            assert store.snapshot().count() == 0  # readers need no lock
            other.kill()
            other.wait()
            with store.writing(wait=10) as writer:
                writer.commit(block([document("a")]))
            assert list(content(store)) == ["a"]


def test_a_lock_file_left_lying_about_is_no_lock(folder: Path) -> None:
    (folder / "lock").write_text('{"pid": 1, "host": "elsewhere", "more": "' + "x" * 500 + '"}')
    with Store.open(folder) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
    assert str(os.getpid()) in (folder / "lock").read_text()
    assert "elsewhere" not in (folder / "lock").read_text()


def test_a_thread_may_take_its_lock_again_and_gets_the_same_writer(folder: Path) -> None:
    with Store.open(folder) as store, store.writing() as outer:
        with store.writing() as inner:
            assert inner is outer
        outer.commit(block([document("a")]))  # the inner end did not give the lock up
        with Store.open(folder) as second, pytest.raises(LockedError), second.writing():
            pass


def test_another_thread_of_the_process_waits_or_is_refused(folder: Path) -> None:
    store = Store.open(folder)
    refused: list[str] = []

    def other(wait: float) -> None:
        try:
            with store.writing(wait) as writer:
                writer.commit(block([document("later")]))
        except LockedError as error:
            refused.append(str(error))

    with store.writing() as writer:
        hasty = threading.Thread(target=other, args=(0,))
        hasty.start()
        hasty.join()
        patient = threading.Thread(target=other, args=(20,))
        patient.start()
        writer.commit(block([document("first")]))
    patient.join()
    assert len(refused) == 1
    assert "another thread" in refused[0]
    assert list(content(store)) == ["first", "later"]


def test_a_forked_child_neither_holds_nor_frees_the_lock_of_its_parent(folder: Path) -> None:
    store = Store.open(folder)
    with store.writing() as writer:
        child = os.fork()
        if child == 0:
            try:
                with store.writing():
                    os._exit(1)
            except LockedError:
                os._exit(42)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
        with Store.open(folder) as second, pytest.raises(LockedError), second.writing():
            pass
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        writer.commit(block([document("a")]))
    with Store.open(folder) as second, second.writing() as writer:
        writer.commit(block([document("b")]))  # while the child, with its copy of the descriptor, still lives
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert list(content(store)) == ["a", "b"]


def leave(_: Store) -> None:
    """Leaves the block at its end."""


def leave_by_exit(_: Store) -> None:
    sys.exit(0)


def leave_by_an_error(_: Store) -> None:
    raise KeyboardInterrupt


def leave_by_a_refusal(store: Store) -> None:
    with store.writing():
        pass


@pytest.mark.parametrize("left", [leave, leave_by_exit, leave_by_an_error, leave_by_a_refusal])
@pytest.mark.parametrize("nested", [False, True])
def test_a_child_that_leaves_the_block_of_its_parent_is_no_writer(
    folder: Path, left: Callable[[Store], None], nested: bool
) -> None:
    store = Store.open(folder)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(store.writing())
        if nested:
            stack.enter_context(store.writing())
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with contextlib.suppress(SystemExit, KeyboardInterrupt, LockedError), stack.pop_all():
                    left(store)
                for _ in range(2):
                    with pytest.raises(LockedError, match=f"process {os.getppid()} "), store.writing():
                        pass
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        writer.commit(block([document("a")]))
        with Store.open(folder) as second, pytest.raises(LockedError), second.writing():
            pass
    assert list(content(store)) == ["a"]
    assert store.verify().damage == []


def test_a_child_cannot_write_by_what_it_inherited_and_writes_by_a_block_of_its_own(folder: Path) -> None:
    store = Store.open(folder)
    told, tell = os.pipe()
    with store.writing() as writer:
        writer.commit(block([document("a")]))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                calls: list[Callable[[], object]] = [
                    lambda: writer.commit(block([document("never")])),
                    lambda: writer.delete([0]),
                    lambda: writer.put_state("any", 1),
                    lambda: writer.fresh("lexical"),
                    lambda: writer.clear("indexes/main"),
                    lambda: writer.sweep("indexes/main"),
                    lambda: writer.build("indexes/main", lambda _: None, 0, 1),
                    lambda: writer.put_beside("indexes/main", lambda _: None),
                    lambda: writer.publish("indexes/main", {}, []),
                    writer.compact,
                    writer.recover,
                ]
                for call in calls:
                    with pytest.raises(CollectionError, match="before the fork"):
                        call()
                os.read(told, 1)
                with store.writing(wait=20) as own:
                    own.commit(block([document("of the child")]))
                status = 0
            finally:
                os._exit(status)
    os.write(tell, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(told)
    os.close(tell)
    assert list(content(store)) == ["a", "of the child"]
    assert store.verify().damage == []


def test_a_child_that_was_forked_by_another_thread_has_no_part_in_the_lock(folder: Path) -> None:
    store = Store.open(folder)
    entered, leave_it = threading.Event(), threading.Event()

    def write() -> None:
        with store.writing() as writer:
            entered.set()
            leave_it.wait(20)
            writer.commit(block([document("of the thread")]))

    thread = threading.Thread(target=write)
    thread.start()
    assert entered.wait(20)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with pytest.raises(LockedError), store.writing():
                pass
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    leave_it.set()
    thread.join()
    assert list(content(store)) == ["of the thread"]


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_that_refuses_locks_is_a_storage_error_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refusing(descriptor: int, how: int) -> None:
        raise OSError(error, os.strerror(error))

    with new_store(tmp_path / "c") as store:
        with monkeypatch.context() as patch:
            patch.setattr(fcntl, "flock", refusing)
            with pytest.raises(StorageError, match="refuses locks"), store.writing():
                pass
        with store.writing() as writer:
            writer.commit(block([document("a")]))
        assert content(store) == expected([block([document("a")])])


def test_a_lock_whose_holder_cannot_be_noted_is_held_all_the_same(tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, descriptor: int, path: str | Path, data: bytes | memoryview, offset: int) -> None:
            if Path(path).name == "lock":
                raise StorageError("full")
            super().write(descriptor, path, data, offset)

    with new_store(tmp_path / "c", Full()) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
        with Store.open(tmp_path / "c") as other, pytest.raises(LockedError), other.writing():
            pass


def test_a_process_that_is_killed_frees_its_lock_though_its_forked_child_lives_on(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DIES_WHILE_ITS_CHILD_LIVES, str(folder)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        child = int(other.stdout.readline())
        other.kill()
        other.wait()
        try:
            with Store.open(folder) as store, store.writing() as writer:
                writer.commit(block([document("a")]))
        finally:
            os.kill(child, 9)


def test_seconds_of_waiting_begin_again_when_the_lock_has_passed_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    patience = Patience(10)
    assert (patience.left({"hold": "a"}), patience.passed) == (10, 0)
    now = 9
    assert (patience.left({"hold": "a"}), patience.passed) == (1, 0)
    assert (patience.left({"hold": "b"}), patience.passed) == (10, 1)
    now = 19
    assert patience.left({"hold": "b"}) == 0


def test_every_hold_leaves_a_note_of_its_own_so_that_it_is_seen_to_pass(folder: Path) -> None:
    notes = set()
    with Store.open(folder) as store:
        for _ in range(3):
            with store.writing():
                notes.add((folder / "lock").read_bytes())
    assert len(notes) == 3


def test_one_that_waits_for_its_turn_is_refused_by_the_name_of_the_writer(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with Store.open(folder) as store:

            def write_late() -> None:
                with store.writing(60) as writer:
                    writer.commit(block([document("late")]))

            waits = threading.Thread(target=write_late)
            waits.start()
            until_taken(folder / "turn")
            with pytest.raises(LockedError, match=f"process {other.pid} on .* is writing"), store.writing():
                pass
            other.kill()
            other.wait()
            waits.join()
            assert list(content(store)) == ["late"]


def until_taken(path: Path) -> None:
    """Until somebody else holds this lock."""
    while True:
        file = LockFile(path)
        free = file.locked()
        file.close()
        if not free:
            return
        time.sleep(0.001)


def test_one_that_finds_the_turn_taken_and_the_lock_free_names_whose_turn_it_is(folder: Path) -> None:
    turn = LockFile(folder / "turn")
    assert turn.locked()
    turn.write_note(Disk(), {"pid": 1, "host": "elsewhere"})
    with Store.open(folder) as store:
        with pytest.raises(LockedError, match="process 1 on elsewhere is writing"), store.writing(0.05):
            pass
        turn.close()
        with store.writing() as writer:
            writer.commit(block([document("a")]))


def test_a_killed_process_that_waited_for_its_turn_holds_nobody_up(folder: Path) -> None:
    waits = HOLDS.replace(".writing()", ".writing(60)")
    with Store.open(folder) as store:
        with (
            store.writing(),
            subprocess.Popen([sys.executable, "-c", waits, str(folder)], stdout=subprocess.PIPE) as other,
        ):
            until_taken(folder / "turn")
            other.kill()
            other.wait()
        with store.writing() as writer:
            writer.commit(block([document("a")]))


def test_a_file_system_that_gives_a_lock_to_two_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda descriptor, how: None)
    refused: list[BaseException] = []

    def other() -> None:
        try:
            with store.writing():
                pass
        except StorageError as error:
            refused.append(error)

    with Store.open(folder) as store, store.writing() as writer:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert "to two at once" in str(refused[0])
        writer.commit(block([document("a")]))
