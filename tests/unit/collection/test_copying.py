"""A copy holds what the source holds, bit for bit, goes on after a kill, and touches nothing that is not its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import copies_until_killed
import numpy as np
import pytest
from toy_engine import ToyEngine

import twofold
from twofold.cli.main import main
from twofold.collection import copying, differing
from twofold.collection.collection import Collection
from twofold.collection.copying import UNFINISHED, Copying
from twofold.collection.guarding import Encoders
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.progress import silent

SCRIPT = Path(copies_until_killed.__file__)
ENCODER = HashedWords(32, max_words=20)
DOCUMENTS = [
    {"id": f"d{n}", "title": f"Title {n % 7}", "text": f"word{n} and word{n % 5} " * (1 + 9 * (n % 3)), "n": n}
    for n in range(30)
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 4)
    monkeypatch.setattr(differing, "AT_ONCE", 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with a second space, long documents, deleted ones, one of own vectors, and lexical search."""
    folder = tmp_path_factory.mktemp("made") / "source"
    with twofold.create(folder, ENCODER, depth=50, context="none") as collection:
        collection.add(DOCUMENTS)
        collection.migrate(HashedWords(8), name="small")
        collection.delete(["d3", "d29"])
        collection.tune(analyser="plain")
        collection.optimize()
        collection.drop_space("small")
        collection.migrate(HashedWords(12), name="other")
        collection.add({"id": "empty", "text": ""})
    return folder


@pytest.fixture
def source(made: Path) -> Iterator[Collection]:
    with twofold.open(made) as collection:
        yield collection


def held(collection: Collection) -> list[object]:
    """All that a copy has to hold: documents, hashes, and every space's passages, vectors and cut tokens."""
    with collection._engine.snapshot() as snapshot:
        numbers = snapshot.select()
        everything: list[object] = [snapshot.documents(numbers), snapshot.text_hashes(numbers), snapshot.counts]
        for space in snapshot.spaces:
            passages, dense = snapshot.passages(numbers, space.name), snapshot.dense(space.name, exact=True)
            everything += [space, passages.owners.tolist(), passages.spans.tolist()]
            everything += [dense.vectors(passages.handles).tobytes(), dense.tokens_cut(numbers).tolist()]
        return everything


def test_a_copy_holds_the_same_and_answers_the_same(source: Collection, made: Path, tmp_path: Path) -> None:
    report = twofold.copy(made, tmp_path / "copy")
    assert (report.documents, report.copied, report.removed, report.spaces) == (29, 29, 0, ("main", "other"))
    assert report.left_out == []
    with twofold.open(tmp_path / "copy") as copied:
        assert held(copied) == held(source)
        assert copied.settings == source.settings
        assert copied.info().lexical == source.info().lexical
        for mode in ("dense", "lexical", "hybrid"):
            queries = ["word3 and word7", "title 4", "word28"]
            assert copied.search_many(queries, mode=mode) == source.search_many(queries, mode=mode)
        assert copied.add(DOCUMENTS[:3]).unchanged == 3
        copied.switch_space("other")
        with copied._engine.snapshot() as snapshot:
            assert snapshot.state(UNFINISHED) is None
        assert copied.verify().clean


def test_a_copy_of_own_vectors_knows_them_again(tmp_path: Path) -> None:
    vectors = np.random.default_rng(2).normal(size=(9, 6)).astype(np.float32)
    documents = [{"id": f"v{n}"} for n in range(9)]
    with twofold.create(tmp_path / "own", GivenVectors(6, similarity="dot")) as own:
        own.add(documents, vectors=vectors)
        twofold.copy(tmp_path / "own", tmp_path / "copy")
        with twofold.open(tmp_path / "copy") as copied:
            assert held(copied) == held(own)
            assert copied.add(documents, vectors=vectors).unchanged == 9


STEPS = [("committed", 1), ("committed", 2), ("recorded", 4), ("committed", 6), ("described", 1), ("space begun", 1)]
STEPS += [("committed", 11)]


@pytest.mark.parametrize(("step", "count"), STEPS)
def test_a_copy_that_was_killed_goes_on_and_doubles_nothing(
    source: Collection, made: Path, tmp_path: Path, step: str, count: int
) -> None:
    target = tmp_path / "copy"
    command = [sys.executable, str(SCRIPT), str(made), str(target), step, str(count)]
    done = subprocess.run(command, env={"PYTHONPATH": str(SCRIPT.parent)}, check=False)
    assert done.returncode == -9, "the step was never reached so often"
    with twofold.open(target) as part:
        there = len(part)
    report = twofold.copy(made, target)
    assert report.copied == 29 - there
    with twofold.open(target) as copied:
        assert held(copied) == held(source)
        assert copied.search("word3 and word7") == source.search("word3 and word7")
    with pytest.raises(InputError, match="holds 29 documents and is no unfinished copy"):
        twofold.copy(made, target)


def interrupted(source: Path, target: Path, after: int) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        twofold.copy(source, target, progress=interrupt)


def test_what_changed_in_the_source_meanwhile_is_brought_along(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "source", ENCODER) as source:
        source.add(DOCUMENTS)
        interrupted(tmp_path / "source", tmp_path / "copy", 12)
        source.delete(["d0", "d5"])
        source.add([{**DOCUMENTS[2], "text": "changed"}, {"id": "late", "text": "came late"}])
        source.update({"id": "d1", "n": -1})
        report = twofold.copy(tmp_path / "source", tmp_path / "copy")
        assert (report.documents, report.removed) == (29, 2)
        with twofold.open(tmp_path / "copy") as copied:
            assert source.differences(copied).same


def test_a_target_that_is_not_its_own_unfinished_copy_is_left_alone(made: Path, tmp_path: Path) -> None:
    with twofold.create(tmp_path / "other", ENCODER) as other:
        other.add([("a", "something else")])
        twofold.create(tmp_path / "small", HashedWords(4)).close()
        twofold.create(tmp_path / "shallow", ENCODER, depth=7, context="none").close()
        interrupted(made, tmp_path / "begun", 4)
        before = held(other)
        for target, said in (
            ("other", "it holds 1 documents and is no unfinished copy"),
            ("small", "made with other spaces or settings"),
            ("shallow", "made with other spaces or settings"),
        ):
            with pytest.raises(InputError, match=said):
                twofold.copy(made, tmp_path / target)
        with pytest.raises(InputError, match=r"is an unfinished copy of .*source; run that again"):
            twofold.copy(tmp_path / "other", tmp_path / "begun")
        with pytest.raises(InputError, match="inside the collection"):
            twofold.copy(made, made / "copy")
        assert held(other) == before
    with twofold.open(tmp_path / "begun") as begun:
        assert len(begun) == 4


def test_a_space_that_lacks_documents_is_left_out_and_said(made: Path, tmp_path: Path) -> None:
    twofold.copy(made, tmp_path / "source")
    with twofold.open(tmp_path / "source") as source:
        with pytest.raises(KeyboardInterrupt):
            source.migrate(HashedWords(5), name="begun", told=_interrupt)
        report = twofold.copy(tmp_path / "source", tmp_path / "copy")
    assert report.spaces == ("main", "other")
    assert report.left_out == ["the space begun, which lacks documents still"]


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_a_copy_needs_no_more_than_the_protocol_of_engines(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "source", ENCODER) as source:
        source.add(DOCUMENTS)
        toy = _over_a_toy(source)
        with source._engine.snapshot() as snapshot:
            assert Copying(source, snapshot, toy, silent).run().copied == 30
        assert source.differences(toy).rankings[0].same
        with twofold.create(None, ENCODER) as back, toy._engine.snapshot() as snapshot:
            Copying(toy, snapshot, back, silent).run()
            assert source.differences(back).same


def _over_a_toy(source: Collection) -> Collection:
    engine = ToyEngine(source._engine.space)
    return Collection(engine, Encoders(engine), source.settings)


def test_the_command_line_copies_and_compares(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["copy", str(made), "copy", "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "copy holds 29 documents" in told
    assert f"`twofold verify {made} --against copy`" in told
    assert main(["verify", str(made), "--against", "copy", "--quiet"]) == 0
    assert "hybrid: overlap@10 1.0000 over" in capsys.readouterr().out
