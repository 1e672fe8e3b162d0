"""One flipped byte anywhere: found by verify, or no answer differs; never wrong content, never a trace."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.spaces import indexed
from twofold.errors import CorruptionError, TwofoldError

FILES = ("collection.json", "catalogue.sqlite", "vectors/main/000001.f16")
LOG = "catalogue.sqlite-wal"
QUESTIONS = ("number 7", "text", "metal")
WHERE: list[dict[str, Any]] = [{"n": {"$lt": 9}}, {"kind": "odd"}, {"$truncated": True}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with create(tmp_path / "c", HashedWords(16, max_words=40)) as made:
        made.add(
            {
                "id": f"d{n}",
                "text": f"text number {n} of metal " * (1 + n % 9),
                "n": n,
                "kind": "odd" if n % 2 else "even",
            }
            for n in range(60)
        )
        made.delete([f"d{n}" for n in range(0, 60, 7)])
        made.add([("d0", "back again"), ("d3", "another text")])
    return tmp_path / "c"


def answers(collection: Collection) -> list[Callable[[], Any]]:
    """Everything that a reader may ask; each answer alone may be an error instead."""
    return [
        lambda: [(each.id, each.title, each.text, dict(each.metadata)) for each in collection],
        *(lambda n=n: collection.get(f"d{n}") for n in range(0, 60, 5)),
        *(lambda where=where: collection.count(where=where) for where in [None, *WHERE]),
        *(
            lambda question=question, where=where: [
                (hit.id, hit.score, hit.passage) for hit in collection.search(question, k=60, where=where)
            ]
            for question in QUESTIONS
            for where in [None, WHERE[0]]
        ),
        lambda: [hit.id for hit in collection.like("d5", k=60)],
    ]


def outcome(folder: Path, whole: list[Any]) -> str:
    """found, harmless or missed; and that no document with other content is given out, damaged or not."""
    try:
        with open_collection(folder) as collection:
            clean = collection.verify().clean
            same = True
            for ask, right in zip(answers(collection), whole, strict=True):
                try:
                    same &= ask() == right
                except TwofoldError:
                    same = False
            right_documents = {each[0]: each for each in whole[0]}
            for number in range(60):
                try:
                    got = collection.get(f"d{number}")
                except TwofoldError:
                    continue
                assert got is None or (got.id, got.title, got.text, dict(got.metadata)) == right_documents[got.id]
    except TwofoldError:
        return "found"
    return "found" if not clean else "harmless" if same else "missed"


def flipped(folder: Path, times: int, files: tuple[str, ...] = FILES) -> Counter[str]:
    """Flips so many bytes, drawn file by file, so that small files are hit too; counts what became of them."""
    with open_collection(folder) as collection:
        whole = [ask() for ask in answers(collection)]
    draw, counts = random.Random(23), Counter[str]()
    for number in range(times):
        path = folder / files[number % len(files)]
        before = path.read_bytes()
        place = draw.randrange(len(before))
        path.write_bytes(before[:place] + bytes([before[place] ^ draw.randrange(1, 256)]) + before[place + 1 :])
        became = outcome(folder, whole)
        counts[became] += 1
        assert became != "missed", f"byte {place} of {path.name}"
        for log in folder.glob("catalogue.sqlite-*"):
            log.unlink()
        path.write_bytes(before)
    return counts


def test_a_flipped_byte_is_found_or_harmless(folder: Path) -> None:
    counts = flipped(folder, 60)
    assert counts["found"] > 40
    assert counts["missed"] == 0


def test_with_two_spaces_a_flipped_byte_of_either_is_found_or_harmless(folder: Path) -> None:
    with open_collection(folder) as collection:
        collection.migrate(HashedWords(24, max_words=40), name="other", switch=True)
    counts = flipped(folder, 60, (*FILES, "vectors/other/000001.f16"))
    assert counts["found"] > 40
    assert counts["missed"] == 0


def test_with_an_index_that_a_compaction_kept_a_flipped_byte_is_found_or_harmless(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    with open_collection(folder) as collection:
        collection.migrate(HashedWords(24, max_words=40), name="other", switch=True)
        collection.optimize(index="scan", queries=list(QUESTIONS))
        collection.delete([f"d{n}" for n in range(1, 60, 7)])
        with collection.writing() as writer:
            writer.compact()
        report = collection.info().index
        assert report is not None
        assert report.gone > 0
    (translation,) = (folder / "indexes").rglob("rows.i32")
    (manifest,) = (folder / "indexes").rglob("manifest-*.json")
    kept = [str(path.relative_to(folder)) for path in (translation, manifest)]
    vectors = [str(path.relative_to(folder)) for path in (folder / "vectors").rglob("*.f16")]
    assert len(vectors) == 2
    counts = flipped(folder, 60, ("collection.json", "catalogue.sqlite", *vectors, *kept))
    assert counts["found"] > 40
    assert counts["missed"] == 0


@pytest.mark.long
def test_a_thousand_flipped_bytes_are_found_or_harmless(folder: Path) -> None:
    counts = flipped(folder, 1_000)
    print(dict(counts))
    assert counts["found"] > 700
    assert counts["missed"] == 0


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_length_gives_no_wrong_answer(folder: Path, name: str) -> None:
    with open_collection(folder) as collection:
        whole = [ask() for ask in answers(collection)]
    path = folder / name
    before = path.read_bytes()
    for size in np.linspace(0, len(before) - 1, 12).astype(int).tolist():
        path.write_bytes(before[:size])
        assert outcome(folder, whole) != "missed", f"{name} cut to {size} bytes"
        for log in folder.glob("catalogue.sqlite-*"):
            log.unlink()
    path.write_bytes(before)
    assert outcome(folder, whole) == "harmless"


def states_in_log(tmp_path: Path) -> tuple[Path, list[list[Any]]]:
    """A folder as a killed writer leaves it, ten commits in its log, and the answers after each of them."""
    states: list[list[Any]] = []
    with create(tmp_path / "writing", HashedWords(16)) as made:
        for number in range(10):
            made.add([(f"d{n}", f"version {number} of text {n}") for n in range(number, number + 5)])
            states.append(told(made))
        shutil.copytree(tmp_path / "writing", tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm"))
    assert (tmp_path / "killed" / LOG).stat().st_size > 50_000
    return tmp_path / "killed", states


def told(collection: Collection) -> list[Any]:
    return [list(collection), [(hit.id, hit.score) for hit in collection.search("text 7", k=60)]]


def flipped_in_log(tmp_path: Path, times: int) -> Counter[str]:
    """Flips a byte of the log and counts what came of it; what is not found is one of the states, whole."""
    killed, states = states_in_log(tmp_path)
    draw, counts = random.Random(31), Counter[str]()
    for number in range(times):
        place = Path(shutil.copytree(killed, tmp_path / str(number)))
        held = bytearray((place / LOG).read_bytes())
        held[draw.randrange(len(held))] ^= draw.randrange(1, 256)
        (place / LOG).write_bytes(held)
        try:
            with open_collection(place) as collection:
                now = told(collection)
                assert now in states or now == [[], []]
                if damage := collection.verify().damage:
                    counts["found"] += 1
                    assert "has lost its commits" in str(damage[0])
                    refuses_to_write(collection, place)
                    continue
                counts["harmless" if now == states[-1] else "missed"] += 1
        except TwofoldError:
            counts["found"] += 1
        finally:
            shutil.rmtree(place)
    return counts


def refuses_to_write(collection: Collection, place: Path) -> None:
    """Nothing is written over what may still be saved, and the way on is said."""
    with pytest.raises(CorruptionError, match="Restore a backup; to go on with what is left, delete"):
        collection.add([("next", "written afterwards")])
    with pytest.raises(CorruptionError, match="has lost its commits"):
        collection.backup(place.with_suffix(".backup"))
    (place / "acknowledged").unlink()
    collection.add([("next", "written afterwards")])
    assert collection.verify().clean


def test_a_flipped_byte_in_the_log_of_a_killed_writer_is_found_and_leaves_a_whole_commit(tmp_path: Path) -> None:
    """SQLite reads its log up to the first frame that does not add up, and says nothing of the rest."""
    counts = flipped_in_log(tmp_path, 40)
    assert counts["found"] > 30
    assert counts["missed"] == 0


def test_a_log_that_was_removed_is_found(tmp_path: Path) -> None:
    killed, states = states_in_log(tmp_path)
    (killed / LOG).unlink()
    with open_collection(killed) as collection:
        assert "lost its commits 1 to 10" in str(collection.verify().damage[0])
        assert len(states) == 10


def test_a_note_that_is_damaged_behind_or_missing_means_nothing(tmp_path: Path) -> None:
    killed, states = states_in_log(tmp_path)
    whole = (killed / "acknowledged").read_bytes()
    for held in (b"", whole[:-1], whole + b"x", *(flipped_at(whole, place) for place in range(len(whole)))):
        (killed / "acknowledged").write_bytes(held)
        with open_collection(killed) as collection:
            assert collection.verify().clean
            assert told(collection) == states[-1]


def flipped_at(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


@pytest.mark.long
def test_a_thousand_flipped_bytes_in_the_log_are_found(tmp_path: Path) -> None:
    counts = flipped_in_log(tmp_path, 1_000)
    print(dict(counts))
    assert counts["found"] > 900
    assert counts["missed"] == 0
