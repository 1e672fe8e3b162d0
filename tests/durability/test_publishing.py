"""Publishing an index that is killed, refused, or ends with a power loss: the old one or the new one, and no harm."""

from __future__ import annotations

import errno
import random
import shutil
from pathlib import Path

import pytest
from faults import dies, kill_at_step, killing, refusing, watched
from storing import block, content, document, new_store

from twofold.engines.local.derived.manifest import Manifest, wrong_content
from twofold.engines.local.engine import Store
from twofold.errors import StorageError

STEPS = ["part filled", "part synced", "part named", "manifest published", "leftover removed"]
AFTER = STEPS[3:]
"""Steps by which the new index counts."""


def fill(folder: Path) -> None:
    (folder / "codes.bin").write_bytes(bytes(20_000))
    (folder / "lists").mkdir()
    (folder / "lists" / "1").write_bytes(b"one")


def questions(folder: Path) -> None:
    (folder / "questions").write_bytes(b"what was asked")


def made(folder: Path) -> dict[str, object]:
    """A collection with an index of two pieces that does not cover its last rows; gives what it holds."""
    with new_store(folder) as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")], rows=[2, 3]))
        pieces = [writer.build("indexes/main", fill, 0, 2), writer.build("indexes/main", fill, 2, 5)]
        writer.publish("indexes/main", {"turn": 1}, pieces, writer.put_beside("indexes/main", questions))
        writer.commit(block([document("c")]))
        return dict(content(store))


def publish(folder: Path) -> None:
    """An index whose first piece is the one that stands."""
    with Store.open(folder) as store, store.writing() as writer:
        with store.snapshot() as snapshot:
            built = snapshot.built("indexes/main")
        assert built is not None
        pieces = [built.pieces[0], writer.build("indexes/main", fill, 2, 6)]
        writer.publish("indexes/main", {"turn": 2}, pieces, writer.put_beside("indexes/main", questions))


def found(store: Store) -> Manifest:
    with store.snapshot() as snapshot:
        built = snapshot.built("indexes/main")
    assert built is not None
    assert not built.lost
    assert [wrong_content(built.home, part) for part in built.parts] == [None, None, None]
    assert built.rows == {1: 5, 2: 6}[built.about["turn"]]
    return built


def check(folder: Path, whole: dict[str, object]) -> int:
    """That a whole index is there and all documents are; that a writer clears away what was left; gives the index."""
    with Store.open(folder) as store:
        assert content(store) == whole
        assert store.verify().damage == []
        turn = int(found(store).about["turn"])
        with store.writing():
            whole_index = found(store)
            assert whole_index.about["turn"] == turn
            names = {"manifest-0.json", *(part.folder for part in whole_index.parts)}
            assert {path.name for path in (folder / "indexes" / "main").iterdir()} == names
        publish(folder)
        assert found(store).about["turn"] == 2
    return turn


def test_publishing_killed_before_any_effect_leaves_the_old_index_or_the_new(tmp_path: Path) -> None:
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
def test_publishing_killed_at_a_named_step_leaves_the_old_index_or_the_new(tmp_path: Path, step: str) -> None:
    whole = made(tmp_path / "c")

    def publish_until() -> None:
        kill_at_step(step, 1)
        publish(tmp_path / "c")

    assert dies(publish_until)
    assert check(tmp_path / "c", whole) == 1 + (step in AFTER)


@pytest.mark.parametrize(("error", "stays"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_publishing_that_is_refused_anywhere_leaves_the_old_index_or_the_new(
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


def test_whatever_a_power_loss_keeps_of_an_index_no_answer_is_wrong(tmp_path: Path) -> None:
    """Names and bytes of derived files in any mixture of two indexes, cut anywhere, or missing."""
    whole, draw, used, partly = made(tmp_path / "c"), random.Random(3), 0, 0
    shutil.copytree(tmp_path / "c" / "indexes" / "main", tmp_path / "first")
    publish(tmp_path / "c")
    shutil.copytree(tmp_path / "c" / "indexes" / "main", tmp_path / "second")
    sources = [tmp_path / "first", tmp_path / "second", tmp_path / "second", tmp_path / "nowhere"]
    names = {file.relative_to(folder) for folder in sources for file in folder.rglob("*") if file.is_file()}
    for _ in range(200):
        shutil.rmtree(tmp_path / "c" / "indexes" / "main")
        for name in sorted(names):
            source = draw.choice(sources) / name
            if source.exists():
                content_, target = source.read_bytes(), tmp_path / "c" / "indexes" / "main" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                cut = draw.randrange(6) == 0
                target.write_bytes(content_[: draw.randrange(len(content_)) if cut else len(content_)])
        with Store.open(tmp_path / "c") as store:
            assert content(store) == whole
            with store.snapshot() as snapshot:
                built = snapshot.built("indexes/main")
            if built is not None:
                assert all(wrong_content(built.home, piece) is None for piece in built.pieces)
                used += bool(built.pieces)
                partly += bool(built.pieces and built.lost)
            with store.writing():
                pass
            assert content(store) == whole
    assert used > 3
    assert partly > 3
