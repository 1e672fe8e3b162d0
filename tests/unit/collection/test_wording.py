"""A collection that knows its words: searched by them and mixed with meaning, kept up, made again when damaged."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, QueryError
from twofold.rankings import Hit
from twofold.searching.hybrid import Mode

WORDS = [f"word{number}" for number in range(60)]
QUESTIONS = ("word1 word2 word3", "word40 word1", "word7", "word9 unknown", "word3 word3 word4")
MODES: tuple[Mode, ...] = ("dense", "lexical", "hybrid")


def documents(first: int, last: int) -> list[dict[str, object]]:
    draw = random.Random(first)
    # Few words are frequent, as in a language.
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    texts = {n: " ".join(draw.choices(WORDS, weights, k=12)) for n in range(first, last)}
    return [{"id": f"d{n}", "title": f"title {n}", "text": text, "half": n % 2} for n, text in texts.items()]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with twofold.create(tmp_path / "c", HashedWords(64)) as made:
        made.add(documents(0, 300))
        made.tune()
        yield made


def pairs(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in hits]


def test_a_collection_that_was_not_tuned_is_searched_by_meaning_and_says_so(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(64)) as made:
        made.add(documents(0, 10))
        assert "lexical" not in made.search("word1")[0].parts
        with pytest.raises(QueryError, match="run twofold tune"):
            made.search("word1", mode="hybrid")


def test_the_mixed_score_is_made_of_both_sides_exactly(collection: Collection) -> None:
    for question in QUESTIONS:
        dense = dict(pairs(collection.search(question, k=200, mode="dense")))
        lexical = dict(pairs(collection.search(question, k=200, mode="lexical")))
        for hit in collection.search(question, k=200):
            if hit.id in dense:
                assert hit.parts["dense"] == dense[hit.id]
            if hit.id in lexical:
                assert hit.parts["lexical"] == lexical[hit.id]
        assert set(hit.parts) == {"dense", "lexical", "weight of words"}
        assert "weight of words" in hit.explain()


def test_a_score_depends_on_neither_k_page_depth_nor_filter(collection: Collection) -> None:
    for mode in MODES:
        for question in QUESTIONS:
            whole = collection.search(question, k=200, mode=mode)
            scores = dict(pairs(whole))
            for k, offset in ((1, 0), (7, 3), (20, 100)):
                page = collection.search(question, k=k, offset=offset, mode=mode)
                assert pairs(page) == pairs(whole)[offset : offset + k]
            for where in ({"half": 0}, {"half": 1}):
                found = collection.search(question, k=100, where=where, mode=mode)
                assert all(hit.document.metadata["half"] == where["half"] for hit in found)
                assert all(hit.score == scores[hit.id] for hit in found if hit.id in scores)


def test_documents_are_found_by_a_word_that_no_other_has(collection: Collection) -> None:
    collection.add([{"id": "rare", "text": "zyzzyva " + "word1 " * 30}])
    assert collection.search("zyzzyva", mode="lexical")[0].id == "rare"
    assert collection.search("zyzzyva", k=1)[0].id == "rare"
    collection.delete(["rare"])
    assert collection.search("zyzzyva", mode="lexical") == []


def test_what_is_added_later_makes_the_same_scores_as_all_at_once(collection: Collection, tmp_path: Path) -> None:
    collection.add(documents(300, 400))
    collection.search("word1")
    collection.add(documents(400, 420))
    with twofold.create(tmp_path / "whole", HashedWords(64)) as whole:
        whole.add([*documents(0, 300), *documents(300, 400), *documents(400, 420)])
        whole.tune()
        for question in QUESTIONS:
            assert pairs(collection.search(question, mode="lexical")) == pairs(whole.search(question, mode="lexical"))


def test_another_process_would_find_the_same_after_opening(collection: Collection, tmp_path: Path) -> None:
    before = [pairs(collection.search(question)) for question in QUESTIONS]
    with twofold.open(tmp_path / "c") as again:
        assert [pairs(again.search(question)) for question in QUESTIONS] == before


def test_beside_a_writer_the_words_read_so_far_answer_and_later_documents_are_found_by_meaning(
    collection: Collection, tmp_path: Path
) -> None:
    collection.search("word1")
    with twofold.open(tmp_path / "c") as reader, collection.writing():
        collection.add([{"id": "new", "text": "zyzzyva zyzzyva"}])
        assert reader.search("zyzzyva", mode="lexical") == []
        assert reader.search("zyzzyva", k=1)[0].id == "new"
    assert collection.search("zyzzyva", mode="lexical")[0].id == "new"


@pytest.mark.parametrize("harm", ["nothing", "empty", "cut", "earlier", "foreign"])
def test_a_lexical_index_that_is_not_what_it_was_is_made_again(
    collection: Collection, tmp_path: Path, harm: str
) -> None:
    import shutil

    folder = tmp_path / "c" / "lexical"
    collection.search("word1")
    shutil.copytree(folder, tmp_path / "earlier")
    collection.add(documents(300, 350))
    collection.delete([f"d{n}" for n in range(40)])
    expected = [pairs(collection.search(question, mode="lexical")) for question in QUESTIONS]
    if harm == "earlier":
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "earlier", folder)
    elif harm == "nothing":
        shutil.rmtree(folder)
    else:
        for file in folder.iterdir():
            content = file.read_bytes()
            file.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "foreign": b"?" * 100}[harm])
    with twofold.open(tmp_path / "c") as again:
        found = [pairs(again.search(question, mode="lexical")) for question in QUESTIONS]
        if harm == "earlier":  # it goes on from there; made anew, deleted documents leave the statistics
            assert found == expected
        assert all(each not in {f"d{n}" for n in range(40)} for one in found for each, _ in one)
        assert again.search("title 345", k=3, mode="lexical")[0].id == "d345"


def test_compacting_keeps_what_words_find(collection: Collection) -> None:
    collection.delete([f"d{n}" for n in range(0, 300, 3)])
    collection.optimize()
    found = collection.search("word1 word2", k=200, mode="lexical")
    assert found
    assert all(int(hit.id[1:]) % 3 for hit in found)
    assert collection.search("title 100", k=1, mode="lexical")[0].id == "d100"


def test_a_vector_is_searched_by_meaning(collection: Collection) -> None:
    vector = np.ones(64, np.float32)
    assert "lexical" not in collection.search(vector)[0].parts
    with pytest.raises(QueryError, match="needs a text"):
        collection.search(vector, mode="hybrid")
    with pytest.raises(QueryError, match="no mode 'both'"):
        collection.search("word1", mode="both")  # type: ignore[arg-type]  # wrong on purpose


def test_runs_are_made_in_every_mode(collection: Collection) -> None:
    queries = {str(number): question for number, question in enumerate(QUESTIONS)}
    for mode in MODES:
        run = collection.run(queries, depth=50, mode=mode)
        for number, question in queries.items():
            assert list(run[number].items())[:10] == pairs(collection.search(question, mode=mode, depth=50))


def test_the_choice_is_the_same_for_renamed_documents(tmp_path: Path) -> None:
    chosen = []
    for name in ("a", "b"):
        with twofold.create(tmp_path / name, HashedWords(64)) as made:
            made.add([{**each, "id": f"{name}{n:05}"} for n, each in enumerate(documents(0, 100))])
            chosen.append(made.tune())
    assert chosen[0] == chosen[1]


def test_dot_products_are_not_mixed(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", GivenVectors(8, similarity="dot")) as made:
        made.add([{"id": "a", "text": "x"}], vectors=np.ones((1, 8), np.float32))
        with pytest.raises(InputError, match="dot products"):
            made.tune()
