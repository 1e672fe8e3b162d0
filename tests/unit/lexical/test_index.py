"""A lexical index is kept up to date, survives what happens to it, and says when it is damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from twofold.documents import Document
from twofold.errors import CorruptionError, InputError, LockedError
from twofold.lexical import state as notes
from twofold.lexical.analysing import RULES, LexicalSettings
from twofold.lexical.index import LexicalIndex

ALLOWED = np.ones(100, np.bool_)
TEXTS = ["a red fox", "a red dog", "a blue whale", "the whale song"]


def document(number: int, text: str) -> tuple[int, Document]:
    return number, Document(str(number), text)


def found(index: LexicalIndex, query: str) -> list[int]:
    numbers: list[int] = index.candidates(query, 10, ALLOWED)[0].tolist()
    return numbers


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    made = LexicalIndex.create(tmp_path)
    made.update([document(*each) for each in enumerate(TEXTS)], [], commit=3, generation=0)
    return made


def test_it_finds_what_it_has_read_and_knows_how_far(index: LexicalIndex, tmp_path: Path) -> None:
    for each in (index, LexicalIndex.open(tmp_path)):
        assert found(each, "whales") == [2, 3]
        assert (each.commit, each.generation, each.settings) == (3, 0, LexicalSettings())


def test_an_empty_one_answers_with_nothing(tmp_path: Path) -> None:
    empty = LexicalIndex.create(tmp_path)
    assert (empty.commit, found(empty, "whale"), empty.weight("whale"), empty.dead_share) == (0, [], 0, 0)


def test_titles_are_read_with_the_text(tmp_path: Path) -> None:
    index = LexicalIndex.create(tmp_path)
    index.update([(0, Document("a", "text", "heading"))], [], commit=1, generation=0)
    assert found(index, "heading") == found(index, "text") == [0]


def test_deleted_and_replaced_documents_are_found_no_more(index: LexicalIndex) -> None:
    index.update([document(0, "a green frog")], [3], commit=4, generation=0)
    assert found(index, "whale") == [2]
    assert found(index, "fox") == []
    assert found(index, "frog") == [0]
    assert index.scores("whale song", np.array([3, 2])).tolist()[0] == 0


def test_the_same_update_twice_is_as_good_as_once(index: LexicalIndex) -> None:
    for _ in range(2):
        index.update([document(7, "a whale again")], [2], commit=5, generation=0)
    assert sorted(found(index, "whale")) == [3, 7]


def test_a_reader_keeps_its_state_while_the_index_goes_on(index: LexicalIndex) -> None:
    reader = index.reader
    before = reader.scores("whale", np.arange(4))
    index.update([document(9, "whale")], [2, 3], commit=4, generation=0)
    assert reader.scores("whale", np.arange(4)).tobytes() == before.tobytes()
    assert (reader.commit, index.commit) == (3, 4)


def test_nothing_new_moves_the_commit_and_nothing_else(index: LexicalIndex, tmp_path: Path) -> None:
    before = notes.stamp(tmp_path)
    index.update([], [], commit=8, generation=0)
    assert (index.commit, notes.stamp(tmp_path)) == (8, before)


def test_rebuilding_takes_deleted_documents_out_of_the_statistics(index: LexicalIndex, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    index.update([], [0, 3], commit=4, generation=0)
    assert index.dead_share == 0.5
    left = [document(number, TEXTS[number]) for number in (1, 2)]
    index.rebuild(left, commit=4, generation=1)
    expected = LexicalIndex.create(fresh)
    expected.update(left, [], commit=4, generation=1)
    assert (index.dead_share, index.generation) == (0, 1)
    for query in ("red dog", "whale", "fox song"):
        assert index.scores(query, np.arange(4)).tobytes() == expected.scores(query, np.arange(4)).tobytes()
        assert index.weight(query) == expected.weight(query)


def test_what_cannot_be_caught_up_with_is_refused(index: LexicalIndex) -> None:
    for commit, generation in ((2, 0), (5, 1)):
        with pytest.raises(InputError, match="rebuild"):
            index.update([], [], commit=commit, generation=generation)
    assert index.commit == 3


def test_an_error_in_the_middle_of_an_update_leaves_the_former_commit(index: LexicalIndex) -> None:
    def broken() -> Iterator[tuple[int, Document]]:
        yield document(8, "whale")
        raise RuntimeError("the reader of documents fails")

    for change in (partial(index.update, deleted=[2]), index.rebuild):
        with pytest.raises(RuntimeError, match="fails"):
            change(broken(), commit=9, generation=0)
        index.reload()
        assert (found(index, "whale"), index.commit) == ([2, 3], 3)
    index.update([document(8, "whale")], [], commit=9, generation=0)
    assert sorted(found(index, "whale")) == [2, 3, 8]


def test_a_commit_that_was_killed_before_its_note_is_made_up_for(index: LexicalIndex, tmp_path: Path) -> None:
    note = (tmp_path / notes.NOTE).read_bytes()
    index.update([document(4, "a whale that will be deleted"), document(5, "a whale")], [2], commit=4, generation=0)
    (tmp_path / notes.NOTE).write_bytes(note)
    again = LexicalIndex.open(tmp_path)
    assert again.commit == 3
    again.update([document(5, "a whale")], [2], commit=6, generation=0)
    assert sorted(found(again, "whale")) == [3, 5]
    assert again.scores("deleted", np.array([4])).tolist() == [0]


KILLED = """
import os, sys
from pathlib import Path
from twofold.documents import Document
from twofold.lexical import state
from twofold.lexical.index import LexicalIndex
index = LexicalIndex.open(Path(sys.argv[1]))
def documents():
    for number in range(10, 4_000):
        yield number, Document(str(number), "a walrus")
    if sys.argv[2] == "reading":
        os.kill(os.getpid(), 9)
if sys.argv[2] == "noting":
    state.write = lambda *_: os.kill(os.getpid(), 9)
index.update(documents(), [2], commit=11, generation=0)
"""


@pytest.mark.parametrize("moment", ["reading", "noting"])
def test_a_killed_update_is_made_up_for_by_the_next(index: LexicalIndex, tmp_path: Path, moment: str) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False).returncode == -9
    again = LexicalIndex.open(tmp_path)
    assert again.commit == 3
    again.update([document(10, "a walrus")], [2], commit=12, generation=0)
    assert (found(again, "walrus"), found(again, "whale"), again.commit) == ([10], [3], 12)


def test_a_second_writer_is_refused(index: LexicalIndex, tmp_path: Path) -> None:
    def meanwhile() -> Iterator[tuple[int, Document]]:
        with pytest.raises(LockedError):
            LexicalIndex.open(tmp_path).update([document(6, "x")], [], commit=5, generation=0)
        yield document(5, "walrus")

    index.update(meanwhile(), [], commit=4, generation=0)
    assert found(index, "walrus") == [5]


OTHER = """
import sys
from pathlib import Path
from twofold.documents import Document
from twofold.lexical.index import LexicalIndex
LexicalIndex.open(Path(sys.argv[1])).update([(20, Document("20", "a narwhal"))], [2], commit=11, generation=0)
"""


def test_what_another_process_commits_is_seen_after_a_reload(index: LexicalIndex, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", OTHER, str(tmp_path)], check=True)
    assert (found(index, "narwhal"), index.commit) == ([], 3)
    index.reload()
    assert (found(index, "narwhal"), found(index, "whale"), index.commit) == ([20], [3], 11)


@pytest.mark.parametrize("part", [notes.NOTE, notes.META, *(f".{part}" for part in notes.PARTS)])
def test_a_missing_or_cut_file_is_named(index: LexicalIndex, tmp_path: Path, part: str) -> None:
    path = next(each for each in tmp_path.iterdir() if each.name.endswith(part) and not each.name.startswith("."))
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.open(tmp_path)
    path.unlink()
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.open(tmp_path)


@pytest.mark.parametrize("part", notes.PARTS)
def test_a_flipped_bit_is_found_by_a_check(index: LexicalIndex, tmp_path: Path, part: str) -> None:
    LexicalIndex.check(tmp_path)
    path = next(each for each in tmp_path.iterdir() if each.suffix == f".{part}")
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.check(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_ends_in_an_answer_or_in_corruption_error(index: LexicalIndex, tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    paths = sorted(path for path in tmp_path.iterdir() if path.stat().st_size)
    path = paths[seed % len(paths)]
    content = bytearray(path.read_bytes())
    content[draw.integers(len(content))] ^= 1 << int(draw.integers(8))
    path.write_bytes(content)
    with suppress(CorruptionError):
        damaged = LexicalIndex.open(tmp_path)
        damaged.candidates("red whale song", 3, ALLOWED)
        damaged.scores("red whale song", np.arange(4))


@pytest.mark.parametrize("field", ["commit", "end", "settings", "format"])
def test_a_note_that_was_changed_or_is_of_another_version_is_refused(
    index: LexicalIndex, tmp_path: Path, field: str
) -> None:
    fields = json.loads((tmp_path / notes.NOTE).read_bytes())
    (tmp_path / notes.NOTE).write_text(json.dumps({**fields, field: 99}))
    with pytest.raises(CorruptionError, match="damaged"):
        LexicalIndex.open(tmp_path)


def test_an_index_that_went_back_behind_its_note_is_refused(index: LexicalIndex, tmp_path: Path) -> None:
    older = (tmp_path / notes.META).read_bytes()
    index.update([document(5, "walrus")], [], commit=4, generation=0)
    (tmp_path / notes.META).write_bytes(older)
    with pytest.raises(CorruptionError, match="older"):
        LexicalIndex.open(tmp_path)


def test_it_is_made_in_an_empty_folder_only(index: LexicalIndex, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        LexicalIndex.create(tmp_path)
    with pytest.raises(InputError, match="empty"):
        LexicalIndex.create(tmp_path / "missing")


def test_a_lock_that_an_older_index_left_does_not_keep_a_new_one_from_being_made(tmp_path: Path) -> None:
    (tmp_path / ".tantivy-meta.lock").touch()
    assert LexicalIndex.create(tmp_path).commit == 0
    with pytest.raises(InputError, match="empty folder"):
        LexicalIndex.create(tmp_path)


def test_an_index_of_other_rules_of_analysis_is_not_read(index: LexicalIndex, tmp_path: Path) -> None:
    notes.write(tmp_path, replace(notes.read(tmp_path), rules=RULES + 1))
    with pytest.raises(CorruptionError, match="took its texts apart in another way"):
        LexicalIndex.open(tmp_path)
    with pytest.raises(CorruptionError):
        index.reload()
