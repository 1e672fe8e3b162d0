"""What a query of the language requires and excludes holds for every hit, in every mode, whatever its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import QueryError
from twofold.lexical import state as notes
from twofold.lexical.analysing import RULES
from twofold.scores import Scores
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.searching.searcher import SnapshotSearcher

TEXTS = {
    "brown": "quick brown fox",
    "red": "quick red fox",
    "state": "state of the art",
    "only": "red",
    "late": "a café in İzmir",
}


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with twofold.create(tmp_path / "c", HashedWords(64)) as made:
        made.add([{"id": name, "text": text, "short": len(text) < 10} for name, text in TEXTS.items()])
        made.tune()
        yield made


@pytest.fixture
def language(collection: Collection) -> Iterator[SnapshotSearcher]:
    with collection.searcher(query_language=True) as searcher:
        yield searcher


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_no_hit_has_what_the_query_excludes_and_every_hit_what_it_requires(
    language: SnapshotSearcher, mode: SearchMode
) -> None:
    everything = set(TEXTS)
    for query, allowed in {
        "red fox -red": everything - {"red", "only"},
        "fox NOT red": everything - {"red", "only"},
        "quick AND NOT red": {"brown"},
        "+red fox": {"red", "only"},
        "fox AND red": {"red"},
        "fox red": everything,
    }.items():
        found = {hit.id for hit in language.search(query, mode=mode)}
        assert found <= allowed, query
        if mode != "lexical":
            assert found == allowed, query
        assert {hit.id for hit in language.search(query, mode=mode, where={"short": True})} <= allowed & {"only"}


def test_the_score_of_what_is_left_does_not_depend_on_what_was_ruled_out_by_whom(language: SnapshotSearcher) -> None:
    (ruled_out,) = language.search("quick -red -state -izmir", mode="hybrid")
    (filtered,) = (hit for hit in language.search("quick", mode="hybrid") if hit.id == "brown")
    assert (ruled_out.id, ruled_out.score) == (filtered.id, filtered.score)


def test_meaning_and_second_stages_read_the_words_without_signs(
    collection: Collection, language: SnapshotSearcher
) -> None:
    asked: list[str] = []

    class RecordingRanker:
        name = "asked"

        def scores(self, query: str, texts: Sequence[str]) -> Scores:
            asked.append(query)
            return np.arange(len(texts), dtype=np.float32)

    language.search('+quick "brown fox"^2 -red', ranker=RecordingRanker())
    assert asked == ["quick brown fox"]
    (signs, plain) = (
        {hit.id: hit.parts["dense"] for hit in searched}
        for searched in (
            language.search("quick (brown OR fox) -state", mode="dense"),
            collection.search("quick brown fox", mode="dense"),
        )
    )
    assert signs == {name: score for name, score in plain.items() if name != "state"}


def test_a_run_obeys_the_language_too(language: SnapshotSearcher) -> None:
    run = language.run({"q": "fox -red"})
    assert set(run["q"]) == set(TEXTS) - {"red", "only"}
    assert list(run["q"].items()) == [(hit.id, hit.score) for hit in language.search("fox -red")]


def test_what_only_excludes_is_refused_in_every_mode(language: SnapshotSearcher) -> None:
    for mode in SEARCH_MODES:
        with pytest.raises(QueryError, match="name what hits should have"):
            language.search("-red", mode=mode)
        with pytest.raises(QueryError, match="character 5"):
            language.search('red "fox', mode=mode)


def test_the_language_is_refused_where_there_are_no_words(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(64)) as made:
        made.add([{"id": "a", "text": "red"}])
        with pytest.raises(QueryError, match="has no lexical index"):
            made.searcher(query_language=True)


@pytest.mark.parametrize("query", ["cafe\u0301", "IZMIR", "iz\u00admir", "ＩＺＭＩＲ"])
def test_another_spelling_is_found_lexically(collection: Collection, query: str) -> None:
    assert [hit.id for hit in collection.search(query, mode="lexical")] == ["late"]


def test_an_index_of_other_rules_is_not_read_and_made_again_by_the_next_writer(
    collection: Collection, tmp_path: Path
) -> None:
    (index,) = (tmp_path / "c" / "lexical").glob("*/*")
    notes.write(index, replace(notes.read(index), rules=RULES + 1))
    with twofold.open(tmp_path / "c") as again:
        assert [hit.id for hit in again.search("state", mode="lexical")] == ["state"]
        again.optimize()
        assert [hit.id for hit in again.search("state", mode="lexical")] == ["state"]
    (index,) = (tmp_path / "c" / "lexical").glob("*/*")
    assert notes.read(index).rules == RULES


@pytest.mark.parametrize(
    "query",
    [
        "-red",
        "--",
        "the",
        "?!",
        "😀",
        "👩\u200d💻",
        "red\0fox",
        "\ud800red",
        "red " * 20_000,
        "AND",
        '"',
        "(" * 99,
    ],
)
def test_any_text_that_is_not_empty_is_answered(collection: Collection, query: str) -> None:
    for mode in SEARCH_MODES:
        hits = collection.search(query, mode=mode)
        assert all(np.isfinite(hit.score) for hit in hits)
        assert hits or mode == "lexical"


@pytest.mark.parametrize("query", ["", " \n\t", "\u3000", "\u200b", "\u00ad \ufeff", "\0", "\ud800"])
def test_an_empty_query_is_refused_in_every_mode(collection: Collection, query: str) -> None:
    for mode in SEARCH_MODES:
        with pytest.raises(QueryError, match="empty"):
            collection.search(query, mode=mode)
        with pytest.raises(QueryError, match="the query 'blank' is empty"):
            collection.run({"red": "red", "blank": query}, mode=mode)
