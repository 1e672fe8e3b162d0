"""Publishing a build that is killed, refused, or ends with a power loss: the old one or the new one, and no harm."""

from __future__ import annotations

import errno
import random
import shutil
from pathlib import Path

import pytest
from faults import dies, kill_at_step, killing, refusing, watched
from storing import block, content, document, new_store

from twofold.engines.local.derived.builds import Built
from twofold.engines.local.engine import Store
from twofold.errors import StorageError

STEPS = ["build filled", "build synced", "build published", "older build removed"]


def fill(folder: Path) -> None:
    (folder / "codes.bin").write_bytes(bytes(20_000))
    (folder / "lists").mkdir()
    (folder / "lists" / "1").write_bytes(b"one")


def made(folder: Path) -> dict[str, object]:
    """A collection with a build that does not cover its last rows; gives what it holds."""
    with new_store(folder) as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")], rows=[2, 3]))
        writer.publish("indexes", fill, {"turn": 1})
        writer.commit(block([document("c")]))
        return dict(content(store))


def publish(folder: Path) -> None:
    with Store.open(folder) as store, store.writing() as writer:
        writer.publish("indexes", fill, {"turn": 2})


def found(store: Store) -> Built:
    with store.snapshot() as snapshot:
        built = snapshot.built("indexes")
    assert built is not None
    built.check()
    assert built.rows == {1: 5, 2: 6}[built.about["turn"]]
    return built


def check(folder: Path, whole: dict[str, object]) -> int:
    """That a whole build is there and all documents are; that a writer clears away what was left; gives the build."""
    with Store.open(folder) as store:
        assert content(store) == whole
        assert store.verify().damage == []
        turn = int(found(store).about["turn"])
        with store.writing():
            assert found(store).about["turn"] == turn
            assert [path.name for path in (folder / "indexes").iterdir()] == [f"{turn:06d}"]
        publish(folder)
        assert found(store).about["turn"] == 2
    return turn


def test_publishing_killed_before_any_effect_leaves_the_old_build_or_the_new(tmp_path: Path) -> None:
    whole, effect, turns = made(tmp_path / "made"), 0, set[int]()

    def publish_until_killed() -> None:
        with watched(killing(effect)):
            publish(tmp_path / "c")

    while True:
        shutil.rmtree(tmp_path / "c", ignore_errors=True)
        shutil.copytree(tmp_path / "made", tmp_path / "c")
        died = dies(publish_until_killed)
        turns.add(check(tmp_path / "c", whole))
        if not died:
            break
        effect += 1
    assert effect >= 10
    assert turns == {1, 2}


@pytest.mark.parametrize("step", STEPS)
def test_publishing_killed_at_a_named_step_leaves_the_old_build_or_the_new(tmp_path: Path, step: str) -> None:
    whole = made(tmp_path / "c")

    def publish_until() -> None:
        kill_at_step(step, 1)
        publish(tmp_path / "c")

    assert dies(publish_until)
    assert check(tmp_path / "c", whole) == 1 + (step in STEPS[2:])


@pytest.mark.parametrize(("error", "stays"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_publishing_that_is_refused_anywhere_leaves_the_old_build_or_the_new(
    tmp_path: Path, error: int, stays: bool
) -> None:
    whole, number, refusals = made(tmp_path / "made"), 0, 0
    while True:
        shutil.rmtree(tmp_path / "c", ignore_errors=True)
        shutil.copytree(tmp_path / "made", tmp_path / "c")
        refused = ""
        with watched(refusing(number, error, stays=stays)) as done:
            try:
                publish(tmp_path / "c")
            except StorageError as said:
                refused = str(said)
                assert "Nothing that was acknowledged is lost" in refused
        check(tmp_path / "c", whole)
        refusals += bool(refused)
        if not refused and len(done) <= number:
            break
        number += 1
    assert refusals >= 5


def test_whatever_a_power_loss_keeps_of_a_build_no_answer_is_wrong(tmp_path: Path) -> None:
    """Names and bytes of derived files in any mixture of two generations, cut anywhere, or missing."""
    whole, draw, kept = made(tmp_path / "c"), random.Random(3), 0
    shutil.copytree(tmp_path / "c" / "indexes" / "000001", tmp_path / "first")
    publish(tmp_path / "c")
    shutil.copytree(tmp_path / "c" / "indexes" / "000002", tmp_path / "second")
    names = ["manifest.json", "codes.bin", "lists/1"]
    for _ in range(150):
        shutil.rmtree(tmp_path / "c" / "indexes")
        target = tmp_path / "c" / "indexes" / draw.choice(["000001", "000002", "000007"])
        (target / "lists").mkdir(parents=True)
        for name in names:
            source = tmp_path / draw.choice(["first", "second", "second", "nowhere"]) / name
            if source.exists():
                content_ = source.read_bytes()
                (target / name).write_bytes(content_[: draw.choice([len(content_), draw.randrange(len(content_))])])
        with Store.open(tmp_path / "c") as store:
            assert content(store) == whole
            with store.snapshot() as snapshot:
                built = snapshot.built("indexes")
            if built is not None:
                built.check()
                kept += 1
            with store.writing():
                pass
    assert kept > 3
