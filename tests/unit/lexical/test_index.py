"""A lexical index is kept up to date, survives what happens to it, and says when it is damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twofold.errors import CorruptionError, InputError, LockedError
from twofold.lexical import run_files
from twofold.lexical import state as notes
from twofold.lexical.analysing import RULES, LexicalSettings
from twofold.lexical.index import LexicalIndex

ALLOWED = np.ones(5_000, np.bool_)
TEXTS = ["a red fox", "a red dog", "a blue whale", "the whale song"]
RECORDS = (run_files.SUFFIX,)


def rewrite(path: Path, content: bytes | bytearray) -> None:
    """A file that is mapped must not be cut: whoever reads it then is killed."""
    path.unlink()
    path.write_bytes(content)


def found(index: LexicalIndex, query: str) -> list[int]:
    numbers: list[int] = index.reader().candidates(query, 10, ALLOWED)[0].tolist()
    return numbers


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    return LexicalIndex.create(tmp_path).extended(enumerate(TEXTS), 4)


def test_it_finds_what_it_has_read_and_knows_how_far(index: LexicalIndex, tmp_path: Path) -> None:
    for each in (index, LexicalIndex.open(tmp_path)):
        assert found(each, "whales") == [2, 3]
        assert (each.end, each.corpus.documents, each.settings) == (4, 4, LexicalSettings())
    assert LexicalIndex.noted_end(tmp_path) == 4


def test_an_empty_one_answers_with_nothing(tmp_path: Path) -> None:
    empty = LexicalIndex.create(tmp_path)
    assert (empty.end, found(empty, "whale")) == (0, [])
    assert empty.reader().evidence("whale", np.arange(2)).tolist() == [0, 0]


def test_it_stays_as_it_is_while_the_folder_goes_on(index: LexicalIndex) -> None:
    reader = index.reader()
    before = reader.scores("whale", np.arange(4))
    later = index.extended([(9, "whale")], 10)
    assert reader.scores("whale", np.arange(4)).tobytes() == before.tobytes()
    assert (index.end, later.end) == (4, 10)
    assert found(later, "whale") == [9, 2, 3]


def test_numbers_without_a_document_count_for_nothing(index: LexicalIndex, tmp_path: Path) -> None:
    later = index.extended([(9, "whale")], 12)
    assert (later.end, later.corpus.documents) == (12, 5)
    assert later.reader().scores("whale", np.array([5, 8, 11])).tolist() == [0, 0, 0]
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.idx")}
    again = later.extended([], 20)
    assert (again.end, again.corpus.documents, found(again, "whale")) == (20, 5, [9, 2, 3])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.idx")} == files


def test_it_does_not_go_back(index: LexicalIndex) -> None:
    with pytest.raises(InputError, match="cannot go back"):
        index.extended([], 3)


def test_an_error_in_the_middle_of_an_update_leaves_the_former_state(index: LexicalIndex, tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[int, str]]:
        yield (8, "whale")
        raise RuntimeError("the reader of documents fails")

    with pytest.raises(RuntimeError, match="fails"):
        index.extended(broken(), 9)
    again = LexicalIndex.open(tmp_path)
    assert (found(again, "whale"), again.end) == ([2, 3], 4)
    assert sorted(found(again.extended([(8, "whale")], 9), "whale")) == [2, 3, 8]


KILLED = """
import os, sys
from pathlib import Path
from twofold.lexical import recorder, state
from twofold.lexical.index import LexicalIndex
index, moment = LexicalIndex.open(Path(sys.argv[1])), sys.argv[2]
def kill(*_):
    os.kill(os.getpid(), 9)
def documents():
    for number in range(10, 4_000):
        yield number, "a walrus"
    if moment == "reading":
        kill()
recorder.GATHERED = 500
if moment == "noting":
    state.write = kill
if moment == "committing":
    write = state.write
    def noted(*each):
        write(*each)
        kill()
    state.write = noted
if moment == "opening":
    LexicalIndex.open = kill
index.extended(documents(), 4_000)
"""


@pytest.mark.parametrize("moment", ["reading", "noting", "committing", "opening"])
def test_a_killed_update_has_happened_wholly_or_not_at_all(index: LexicalIndex, tmp_path: Path, moment: str) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False).returncode == -9
    again = LexicalIndex.open(tmp_path)
    LexicalIndex.check(tmp_path)
    assert again.end == (4_000 if moment == "opening" else 4)
    assert found(again, "whale") == [2, 3]
    number = again.end + 3
    later = again.extended([(number, "a walrus and a whale")], number + 1)
    LexicalIndex.check(tmp_path)
    assert found(later, "whale") == [2, 3, number]
    walruses = later.reader().candidates("walrus", 5_000, ALLOWED)[0]
    assert sorted(walruses.tolist()) == [*(range(10, 4_000) if moment == "opening" else ()), number]


def test_a_second_writer_is_refused(index: LexicalIndex, tmp_path: Path) -> None:
    def meanwhile() -> Iterator[tuple[int, str]]:
        with pytest.raises(LockedError):
            LexicalIndex.open(tmp_path).extended([(6, "x")], 7)
        yield (5, "walrus")

    assert found(index.extended(meanwhile(), 6), "walrus") == [5]


OTHER = """
import sys
from pathlib import Path
from twofold.lexical.index import LexicalIndex
LexicalIndex.open(Path(sys.argv[1])).extended([(20, "a narwhal")], 21)
"""


def test_what_another_process_commits_is_seen_when_it_is_opened_again(index: LexicalIndex, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", OTHER, str(tmp_path)], check=True)
    assert (found(index, "narwhal"), index.end) == ([], 4)
    again = LexicalIndex.open(tmp_path)
    assert (found(again, "narwhal"), found(again, "whale"), again.end) == ([20], [2, 3], 21)


@pytest.mark.parametrize("part", [notes.NOTE, notes.META, *RECORDS, *(f".{part}" for part in notes.PARTS)])
def test_a_missing_or_cut_file_is_named(index: LexicalIndex, tmp_path: Path, part: str) -> None:
    path = next(each for each in tmp_path.iterdir() if each.name.endswith(part) and not each.name.startswith("."))
    content = path.read_bytes()
    rewrite(path, content[:-3])
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.open(tmp_path)
    path.unlink()
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.open(tmp_path)


@pytest.mark.parametrize("part", [*RECORDS, *(f".{part}" for part in notes.PARTS)])
def test_a_flipped_bit_is_found_by_a_check(index: LexicalIndex, tmp_path: Path, part: str) -> None:
    LexicalIndex.check(tmp_path)
    path = next(each for each in tmp_path.iterdir() if each.name.endswith(part))
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    rewrite(path, content)
    with pytest.raises(CorruptionError, match=path.name):
        LexicalIndex.check(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_ends_in_an_answer_or_in_corruption_error(index: LexicalIndex, tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    paths = sorted(path for path in tmp_path.iterdir() if path.stat().st_size)
    path = paths[seed % len(paths)]
    content = bytearray(path.read_bytes())
    content[draw.integers(len(content))] ^= 1 << int(draw.integers(8))
    rewrite(path, content)
    with suppress(CorruptionError):
        damaged = LexicalIndex.open(tmp_path).reader()
        damaged.candidates("red whale song", 3, ALLOWED)
        damaged.scores("red whale song", np.arange(4))


@pytest.mark.parametrize("field", ["states", "rules", "settings", "format"])
def test_a_note_that_was_changed_or_is_of_another_version_is_refused(
    index: LexicalIndex, tmp_path: Path, field: str
) -> None:
    fields = json.loads((tmp_path / notes.NOTE).read_bytes())
    (tmp_path / notes.NOTE).write_text(json.dumps({**fields, field: 99}))
    with pytest.raises(CorruptionError, match="damaged"):
        LexicalIndex.open(tmp_path)


@pytest.mark.parametrize("file", [notes.META, notes.NOTE])
def test_an_index_of_which_one_file_went_back_is_refused(index: LexicalIndex, tmp_path: Path, file: str) -> None:
    older = (tmp_path / file).read_bytes()
    for number in (5, 6):
        index = index.extended([(number, "walrus")], number + 1)
    rewrite(tmp_path / file, older)
    with pytest.raises(CorruptionError, match=r"not what was written|No such file"):
        LexicalIndex.open(tmp_path)


def test_it_is_made_in_an_empty_folder_only(index: LexicalIndex, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="empty"):
            LexicalIndex.create(folder)


def test_an_index_of_other_rules_of_analysis_is_not_read(index: LexicalIndex, tmp_path: Path) -> None:
    notes.write(tmp_path, replace(notes.read(tmp_path), rules=RULES + 1))
    with pytest.raises(CorruptionError, match="took its texts apart in another way"):
        LexicalIndex.open(tmp_path)
