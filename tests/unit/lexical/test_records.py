"""Records say of each document what counting its terms says, however they were gathered, joined and divided."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from twofold.errors import CorruptionError
from twofold.lexical import recorder, records, run_files, vocabulary
from twofold.lexical.recorder import Recorder
from twofold.lexical.records import ABSENT, MOST, Records, Run
from twofold.lexical.vocabulary import Vocabulary, hashed

TERMS = [f"term{number}" for number in range(40)]


@pytest.fixture(params=[2**16, 64, 7])
def largest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Numbers of a run at most."""
    for module in (recorder, records):
        monkeypatch.setattr(module, "LARGEST", request.param)
    return int(request.param)


def drawn(seed: int) -> dict[int, list[str]]:
    """Documents by number, with gaps; one is long, one has nothing."""
    draw = random.Random(seed)
    numbers = sorted(draw.sample(range(300), 200))
    found = {number: draw.choices(TERMS, k=draw.randint(0, 30)) for number in numbers}
    return {**found, numbers[3]: ["term1"] * 300 + ["term2"], numbers[5]: []}


def runs(documents: dict[int, list[str]], first: int, end: int) -> tuple[Run, ...]:
    made = Vocabulary(str)
    recording = Recorder(first, made)
    for number, terms in documents.items():
        if first <= number < end:
            recording.add(number, [made[term] for term in terms])
    recording.skip_to(end)
    recording.close()
    return tuple(recording.made)


def grown(documents: dict[int, list[str]], ends: list[int]) -> Records:
    found = Records(0)
    for end in ends:
        found = found.followed_by(runs(documents, found.end, end))
    return found


def check(found: Records, documents: dict[int, list[str]], first: int, end: int, draw: random.Random) -> None:
    documents = {number: terms for number, terms in documents.items() if first <= number < end}
    assert (found.first, found.end) == (first, end)
    assert found.documents == len(documents)
    assert found.tokens == sum(map(len, documents.values()))
    hashes = np.array(sorted(map(hashed, [*TERMS[:20], "absent"])), np.uint64)
    names = {hashed(term): term for term in TERMS}
    having = [sum(names.get(each, "") in terms for terms in documents.values()) for each in hashes.tolist()]
    assert found.having(hashes).tolist() == having
    for count in (0, 1, 5, end - first):
        numbers = np.array(sorted(draw.sample(range(first, end), min(count, end - first))), np.int64)
        assert found.lengths_of(numbers).tolist() == [
            len(documents[number]) if number in documents else ABSENT for number in numbers.tolist()
        ]
        owners, which, counts = found.matches(numbers, hashes)
        triples = list(zip(owners.tolist(), which.tolist(), counts.tolist(), strict=True))
        expected = [
            (place, term, min(often, MOST))
            for place, number in enumerate(numbers.tolist())
            for term, each in enumerate(hashes.tolist())
            if (often := Counter(documents.get(number, ()))[names.get(each, "")])
        ]
        assert sorted(triples) == expected
        for place in range(len(numbers)):  # a score is a sum in this order
            mine = [term for owner, term, _ in triples if owner == place]
            assert mine == sorted(mine)


@pytest.mark.parametrize("seed", range(6))
def test_records_say_what_counting_says_however_they_grew(largest: int, seed: int) -> None:
    draw, documents = random.Random(seed), drawn(seed)
    for ends in ([300], [100, 200, 300], list(range(5, 301, 5)), sorted({*draw.sample(range(1, 300), 20), 300})):
        found = grown(documents, ends)
        check(found, documents, 0, 300, draw)
        assert all(len(run.lengths) <= largest for run in found.runs)
        first, end = sorted(draw.sample(range(301), 2))
        check(found.between(first, end), documents, first, end, draw)


def test_there_are_few_runs_however_often_documents_come() -> None:
    assert len(grown(drawn(1), list(range(1, 301))).runs) <= 8


def test_a_run_in_memory_ends_where_many_terms_have_been_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "GATHERED", 100)
    documents = drawn(2)
    made = runs(documents, 0, 300)
    assert len(made) > 10
    check(Records(0, made), documents, 0, 300, random.Random(2))


def test_terms_that_share_a_hash_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "HASH_BYTES", 1)
    vocabulary.hashed.cache_clear()
    try:
        documents = {number: [f"term{number + n}" for n in range(5)] for number in range(600)}
        found = grown(documents, [200, 400, 600])
        hashes = np.arange(256, dtype=np.uint64)
        owners, which, counts = found.matches(np.arange(600), hashes)
        for number, terms in documents.items():
            expected = Counter(map(hashed, terms))
            assert (
                dict(zip(which[owners == number].tolist(), counts[owners == number].tolist(), strict=True)) == expected
            )
    finally:
        vocabulary.hashed.cache_clear()


def test_a_vocabulary_that_was_trimmed_gives_the_same_records(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Vocabulary(str)
    recording, documents = Recorder(0, made), drawn(3)
    monkeypatch.setattr(vocabulary, "KEPT", 10)
    for number, terms in documents.items():
        recording.add(number, [made[term] for term in terms])
        if number % 50 == 0:
            recording.close()
            assert len(made) == 0
    recording.skip_to(300)
    recording.close()
    check(Records(0, tuple(recording.made)), documents, 0, 300, random.Random(3))


def test_a_run_is_read_back_from_its_file_and_damage_is_named(tmp_path: Path) -> None:
    documents = drawn(4)
    (run,) = runs(documents, 0, 300)
    file = run_files.write(tmp_path, run)
    check(Records(0, (run_files.mapped(tmp_path, file),)), documents, 0, 300, random.Random(4))
    run_files.check(tmp_path, file)
    path = tmp_path / file.name
    content = path.read_bytes()
    assert len(content) == file.bytes
    for place in range(0, len(content), 97):
        path.unlink()
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(CorruptionError, match=file.name):
            run_files.check(tmp_path, file)
        if place < file.head_bytes:
            with pytest.raises(CorruptionError, match=file.name):
                run_files.mapped(tmp_path, file)


def test_files_of_runs_that_a_state_does_not_name_are_removed(tmp_path: Path) -> None:
    (run,) = runs(drawn(5), 0, 300)
    file = run_files.write(tmp_path, run)
    (tmp_path / "7-9.run").touch()
    (tmp_path / "other").touch()
    run_files.clean(tmp_path, [file])
    assert sorted(each.name for each in tmp_path.iterdir()) == [file.name, "other"]


def divided(terms: list[str], draw: random.Random) -> list[list[str]]:
    """A document's terms in one to four passages, which overlap now and then; a boundary may cut a word."""
    if draw.random() < 0.4 or len(terms) < 4:
        return []
    cuts = sorted(draw.sample(range(1, len(terms)), draw.randint(1, 3)))
    passages = [terms[max(0, start - draw.randint(0, 2)) : end] for start, end in pairwise([0, *cuts, len(terms)])]
    return [[*each, "cut"] if draw.random() < 0.1 else each for each in passages]


def check_passages(
    found: Records, documents: dict[int, list[str]], passages: dict[int, list[list[str]]], draw: random.Random
) -> None:
    """Against counting. Terms that a passage has and its document has not are parts of a word."""
    inside = {number: terms for number, terms in documents.items() if found.first <= number < found.end}
    counted = {
        number: [Counter(each) for each in passages[number]] if len(passages[number]) > 1 else [] for number in inside
    }
    hashes = np.array(sorted(map(hashed, [*TERMS[:20], "absent", "cut"])), np.uint64)
    names = {hashed(term): term for term in [*TERMS, "cut"]}
    named = [names.get(each, "") for each in hashes.tolist()]
    whole = [each or [Counter(inside[number])] for number, each in counted.items()]
    assert found.passages == (sum(map(len, whole)), sum(each.total() for some in whole for each in some))
    having = [
        sum(
            term in each and term in inside[number] for number, some in zip(inside, whole, strict=True) for each in some
        )
        for term in named
    ]
    assert found.passages_having(hashes).tolist() == having
    for count in (0, 1, 7, found.end - found.first):
        numbers = sorted(draw.sample(range(found.first, found.end), min(count, found.end - found.first)))
        matches = found.passage_matches(np.array(numbers, np.int64), hashes)
        mine = [counted.get(number, []) for number in numbers]
        assert matches.many.tolist() == list(map(len, mine))
        assert matches.lengths.tolist() == [each.total() for some in mine for each in some]
        triples = list(zip(matches.passages.tolist(), matches.terms.tolist(), matches.counts.tolist(), strict=True))
        of = [(number, each) for number, some in zip(numbers, mine, strict=True) for each in some]
        assert sorted(triples) == [
            (place, term, min(each[name], MOST))
            for place, (number, each) in enumerate(of)
            for term, name in enumerate(named)
            if name in inside[number] and each[name]
        ]
        for place in range(len(of)):  # a score is a sum in this order
            terms = [term for owner, term, _ in triples if owner == place]
            assert terms == sorted(terms)


@pytest.mark.parametrize("seed", range(4))
def test_records_of_passages_say_what_counting_says_however_they_grew(largest: int, seed: int, tmp_path: Path) -> None:
    draw, documents = random.Random(seed), drawn(seed)
    passages = {number: divided(terms, draw) for number, terms in documents.items()}
    for ends in ([300], list(range(5, 301, 5)), sorted({*draw.sample(range(1, 300), 20), 300})):
        found = Records(0)
        for end in ends:
            made = Vocabulary(str)
            recording = Recorder(found.end, made)
            for number, terms in documents.items():
                if found.end <= number < end:
                    ids = [[made[term] for term in each] for each in passages[number]]
                    recording.add(number, [made[term] for term in terms], ids)
            recording.skip_to(end)
            recording.close()
            found = found.followed_by(recording.made)
        check(found, documents, 0, 300, draw)
        check_passages(found, documents, passages, draw)
        first, end = sorted(draw.sample(range(301), 2))
        check_passages(found.between(first, end), documents, passages, draw)
        files = [run_files.write(tmp_path, run) for run in found.runs]
        check_passages(Records(0, tuple(run_files.mapped(tmp_path, file) for file in files)), documents, passages, draw)
        assert all((tmp_path / file.name).stat().st_size == file.bytes for file in files)


def test_a_run_without_passages_is_stored_as_before_passages_were(tmp_path: Path) -> None:
    (run,) = runs(drawn(4), 0, 300)
    file = run_files.write(tmp_path, run)
    assert (file.passages, file.entries) == (0, 0)
    assert file.bytes == 12 * file.terms + 4 * file.documents + 3 * file.postings
