"""The lexical index and hybrid search of a collection: built, kept up to date, rebuilt where damaged."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.contract import Contract
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, QueryError
from twofold.lexical.index import LexicalIndex
from twofold.progress import silent
from twofold.protocols import Encoder
from twofold.rankings import Hit
from twofold.scores import Similarity
from twofold.searching.hybrid import SEARCH_MODES

WORDS = [f"word{number}" for number in range(60)]
QUESTIONS = ("word1 word2 word3", "word40 word1", "word7", "word9 unknown", "word3 word3 word4")


def _words_of(collection: Path) -> Path:
    """Where the lexical index of a collection stands."""
    (folder,) = (collection / "lexical").glob("*/*")
    return folder


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if not path.name.startswith(".")}


def _rewrite(path: Path, content: bytes | bytearray) -> None:
    """A file that is mapped must not be cut: whoever reads it then is killed."""
    path.unlink()
    path.write_bytes(content)


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


def test_a_collection_that_was_not_tuned_is_searched_densely_and_says_so(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(64)) as made:
        made.add(documents(0, 10))
        assert "lexical" not in made.search("word1")[0].parts
        with pytest.raises(QueryError, match="run `twofold tune COLLECTION`"):
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
        assert set(hit.parts) == {"dense", "lexical", "lexical evidence", "lexical weight"}
        assert "lexical weight" in hit.explain()


def test_a_score_depends_on_neither_k_page_depth_nor_filter(collection: Collection) -> None:
    for mode in SEARCH_MODES:
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


def test_optimizing_brings_the_words_along(collection: Collection, tmp_path: Path) -> None:
    collection.delete([f"d{n}" for n in range(40)])
    collection.add(documents(300, 350))
    collection.optimize()
    index = LexicalIndex.open(_words_of(tmp_path / "c"))
    assert (index.end, index.corpus.documents) == (350, 310)
    expected = [pairs(collection.search(question, mode="lexical")) for question in QUESTIONS]
    with twofold.create(tmp_path / "whole", HashedWords(64)) as whole:
        whole.add([*documents(0, 300)[40:], *documents(300, 350)])
        whole.tune()
        assert [pairs(whole.search(question, mode="lexical")) for question in QUESTIONS] == expected


def test_searching_writes_nothing_and_finds_what_the_index_has_not_read(collection: Collection, tmp_path: Path) -> None:
    collection.add(documents(300, 350))
    collection.delete(["d7"])
    before = _files(tmp_path / "c" / "lexical")
    for mode in SEARCH_MODES:
        assert collection.search("word1", mode=mode)
    with collection.searcher(query_language=True) as searcher:
        assert searcher.search('"title 345" -title7', k=1, mode="lexical")[0].id == "d345"
    assert collection.search("title 345", k=1, mode="lexical")[0].id == "d345"
    assert _files(tmp_path / "c" / "lexical") == before
    assert LexicalIndex.open(_words_of(tmp_path / "c")).end == 300


def test_the_index_is_brought_along_when_many_documents_came_also_within_one_call(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.engines.local.maintaining.BEHIND", 100)
    for first in range(300, 600, 30):
        collection.add(documents(first, first + 30))
        assert first + 30 - LexicalIndex.open(_words_of(tmp_path / "c")).end < 100
    ends = []
    collection.add(
        documents(600, 1_300), progress=lambda *_: ends.append(LexicalIndex.noted_end(_words_of(tmp_path / "c")))
    )
    assert sorted(set(ends))[-3:] == [856, 1_112, 1_300]


def test_another_process_would_find_the_same_after_opening(collection: Collection, tmp_path: Path) -> None:
    before = [pairs(collection.search(question)) for question in QUESTIONS]
    with twofold.open(tmp_path / "c") as again:
        assert [pairs(again.search(question)) for question in QUESTIONS] == before


def test_beside_a_writer_a_document_is_found_lexically_from_its_commit_on(
    collection: Collection, tmp_path: Path
) -> None:
    with twofold.open(tmp_path / "c") as reader, collection.writing():
        collection.add([{"id": "new", "text": "zyzzyva zyzzyva"}])
        assert [hit.id for hit in reader.search("zyzzyva", mode="lexical")] == ["new"]
        assert reader.search("zyzzyva", k=1)[0].id == "new"


@pytest.mark.parametrize("harm", ["nothing", "empty", "cut", "earlier", "foreign"])
def test_a_lexical_index_that_is_not_what_it_was_changes_no_score_and_is_made_again_by_the_next_writer(
    collection: Collection, tmp_path: Path, harm: str
) -> None:
    folder = _words_of(tmp_path / "c")
    shutil.copytree(folder, tmp_path / "earlier")
    collection.add(documents(300, 350))
    collection.delete([f"d{n}" for n in range(40)])
    with collection.writing() as writer:
        writer._following(silent).follow()
    expected = [pairs(collection.search(question, mode="lexical")) for question in QUESTIONS]
    if harm == "earlier":
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "earlier", folder)
    elif harm == "nothing":
        shutil.rmtree(folder)
    else:
        for file in folder.iterdir():
            content = file.read_bytes()
            _rewrite(file, {"empty": b"", "cut": content[: len(content) // 2], "foreign": b"?" * 100}[harm])
    with twofold.open(tmp_path / "c") as again:
        for _ in range(2):
            assert [pairs(again.search(question, mode="lexical")) for question in QUESTIONS] == expected
        again.add([{"id": "last", "text": "zyzzyva"}])
        assert again.search("zyzzyva", mode="lexical")[0].id == "last"
    made = LexicalIndex.open(_words_of(tmp_path / "c"))
    LexicalIndex.check(made.folder)
    assert made.end == 300 if harm == "earlier" else made.corpus.documents == 311


def test_compacting_keeps_what_words_find(collection: Collection) -> None:
    collection.delete([f"d{n}" for n in range(0, 300, 3)])
    collection.optimize()
    found = collection.search("word1 word2", k=200, mode="lexical")
    assert found
    assert all(int(hit.id[1:]) % 3 for hit in found)
    assert collection.search("title 100", k=1, mode="lexical")[0].id == "d100"


def test_a_vector_is_searched_densely(collection: Collection) -> None:
    vector = np.ones(64, np.float32)
    assert "lexical" not in collection.search(vector)[0].parts
    with pytest.raises(QueryError, match="needs a text"):
        collection.search(vector, mode="hybrid")
    with pytest.raises(QueryError, match="no mode 'both'"):
        collection.search("word1", mode="both")  # type: ignore[arg-type]  # wrong on purpose


def test_runs_are_made_in_every_mode(collection: Collection) -> None:
    queries = {str(number): question for number, question in enumerate(QUESTIONS)}
    for mode in SEARCH_MODES:
        run = collection.run(queries, depth=50, mode=mode)
        for number, question in queries.items():
            assert list(run[number].items())[:10] == pairs(collection.search(question, mode=mode, depth=50))


def test_the_choice_is_the_same_for_renamed_documents_and_shuffled_judgements(tmp_path: Path) -> None:
    chosen, learned = [], []
    judged = [(f"q{n}", f"word{n} word{n + 20}", n * 7) for n in range(30)]
    for name in ("first", "renamed"):
        with twofold.create(tmp_path / name, HashedWords(64)) as made:
            made.add([{**each, "id": f"{name}{n:05}"} for n, each in enumerate(documents(0, 300))])
            chosen.append(made.tune())
            queries = {query: text for query, text, _ in judged}
            qrels = {query: {f"{name}{answer:05}": 1} for query, _, answer in judged}
            learned.append(made.tune(queries=queries, qrels=qrels))
            assert made.info().lexical == learned[-1]
        random.Random(1).shuffle(judged)
    assert chosen[0] == chosen[1]
    assert learned[0].fusion == learned[1].fusion
    assert learned[0].learned is not None
    assert learned[0].learned.questions == 30


def test_judgements_need_texts_and_answers(collection: Collection) -> None:
    with pytest.raises(InputError, match="'q1' is judged, but has no text"):
        collection.tune(queries={}, qrels={"q1": {"d1": 1}})
    with pytest.raises(InputError, match="1 judged questions are too few"):
        collection.tune(queries={"q1": "word1"}, qrels={"q1": {"d1": 1}, "q2": {"d2": 0}})
    assert collection.search("word1", mode="hybrid")


def test_signs_mean_something_to_words_only_where_that_is_asked_for(collection: Collection) -> None:
    collection.add([{"id": "far", "text": "zyzzyva other words qwerty"}, {"id": "near", "text": "zyzzyva qwerty"}])
    query = '"zyzzyva qwerty"'
    assert len(collection.search(query, mode="lexical")) == 2
    with collection.searcher(query_language=True) as searcher:
        assert [hit.id for hit in searcher.search(query, mode="lexical")] == ["near"]
        with pytest.raises(QueryError):
            searcher.search('"zyzzyva', mode="lexical")


@pytest.mark.parametrize("kind", ["*.term", "*.run"])
def test_verify_finds_a_flipped_bit_and_repair_builds_the_words_again(
    collection: Collection, tmp_path: Path, kind: str
) -> None:
    expected = [pairs(collection.search(question)) for question in QUESTIONS]
    assert collection.verify().clean
    part = next(_words_of(tmp_path / "c").glob(kind))
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 4
    _rewrite(part, content)
    with twofold.open(tmp_path / "c") as again:
        (damage,) = again.verify().damage
        assert (damage.place, damage.derived, damage.repaired) == ("lexical", True, False)
        assert part.name in damage.message
        assert again.verify(repair=True).clean
        assert again.verify().damage == []
        assert [pairs(again.search(question)) for question in QUESTIONS] == expected


class Dot(HashedWords):
    """An encoder of the user's own whose vectors are compared by dot products."""

    @property
    def contract(self) -> Contract:
        return replace(super().contract, similarity="dot")

    @property
    def source(self) -> dict[str, object]:
        return {"kind": "my own"}


class Own(HashedWords):
    """An encoder of the user's own."""

    @property
    def source(self) -> dict[str, object]:
        return {"kind": "my own"}


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_own_vectors_are_searched_lexically_where_a_text_has_no_vector(similarity: Similarity, tmp_path: Path) -> None:
    given = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
    with twofold.create(tmp_path / "c", GivenVectors(8, similarity=similarity)) as made:
        made.add(documents(0, 40), vectors=given)
        assert (words := made.info().lexical) is not None
        assert (words.fusion is None) == (similarity == "dot")
        assert made.tune() == words
        expected = pairs(made.search("word1 word7", mode="lexical"))
        assert expected
        assert list(made.run({"q": "word1 word7"}, depth=200, mode="lexical")["q"].items())[: len(expected)] == expected
        found = made.search("word1 word7", where={"half": 1}, mode="lexical")[0]
        assert (found.parts, found.passage.text) == ({"lexical": found.score}, found.document.text)
        assert set(made.search(given[3], k=1)[0].parts) == {"dense"}
        with pytest.raises(QueryError, match=r"made elsewhere.* lexical search \(mode lexical\)"):
            made.search("word1", mode="hybrid")
        assert made.search("word1") == made.search("word1", mode="lexical")
        with pytest.raises(InputError, match=r"judgements are for mixing|cannot encode the judged queries"):
            made.tune(queries={"q": "word1"}, qrels={"q": {"d1": 1}})
        made.add([{"id": "rare", "text": "zyzzyva"}], vectors=given[:1])
        with made.searcher(query_language=True) as searcher:
            assert searcher.modes == ("lexical",)
            assert [hit.id for hit in searcher.search("+zyzzyva word1", mode="lexical")] == ["rare"]
    with twofold.open(tmp_path / "c") as again:
        assert again.search("zyzzyva", mode="lexical")[0].id == "rare"


def test_dot_products_are_searched_densely_or_lexically_and_not_mixed() -> None:
    with twofold.create(None, Dot(64)) as made:
        made.add(documents(0, 40))
        assert set(made.search("word1")[0].parts) == {"dense"}
        assert set(made.search("word1", mode="lexical")[0].parts) == {"lexical"}
        with pytest.raises(QueryError, match="dot products; search with the mode dense or lexical"):
            made.search("word1", mode="hybrid")
        with made.searcher() as searcher:
            assert searcher.modes == ("dense", "lexical")


@pytest.mark.parametrize("encoder", [Own(64), twofold.load_encoder(query_tower="static")], ids=["own", "query tower"])
def test_any_encoder_that_is_compared_by_cosine_is_searched_lexically_too_unasked(encoder: Encoder) -> None:
    with twofold.create(None, encoder) as made:
        made.add(documents(0, 40))
        assert set(made.search("word1")[0].parts) == {"dense", "lexical", "lexical evidence", "lexical weight"}
        assert pairs(made.search("word1", mode="lexical"))
        with made.searcher() as searcher:
            assert searcher.modes == SEARCH_MODES
        with (
            made.searcher(lexical=False) as searcher,
            pytest.raises(QueryError, match="was opened without the lexical index"),
        ):
            searcher.search("word1", mode="lexical")


def test_without_an_index_and_beside_a_writer_scores_are_the_same(collection: Collection, tmp_path: Path) -> None:
    expected = [pairs(collection.search(question, mode="lexical")) for question in QUESTIONS]
    shutil.rmtree(tmp_path / "c" / "lexical")
    with twofold.open(tmp_path / "c") as reader, collection.writing():
        assert [pairs(reader.search(question, mode="lexical")) for question in QUESTIONS] == expected


def test_while_a_collection_is_tuned_and_optimized_searches_answer_as_before(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.add(documents(300, 330))
    collection.delete([f"d{n}" for n in (*range(40), *range(310, 330))])
    with twofold.open(tmp_path / "c") as reader:

        def answers() -> list[list[tuple[str, float]]]:
            return [pairs(reader.search(question, mode=mode)) for question in QUESTIONS for mode in SEARCH_MODES]

        before, extended, asked = answers(), LexicalIndex.extended, 0

        def asking(index: LexicalIndex, *given: object) -> LexicalIndex:
            nonlocal asked
            asked += 1
            assert answers() == before
            made = extended(index, *given)  # type: ignore[arg-type]
            assert answers() == before
            return made

        monkeypatch.setattr(LexicalIndex, "extended", asking)
        former = _words_of(tmp_path / "c")
        collection.optimize()
        assert asked == 2
        assert _words_of(tmp_path / "c") != former
        before = answers()
        collection.tune(analyser="ngram")
        assert asked == 3
        assert answers() != before
        collection.tune()
        assert asked == 3


def test_what_a_stopped_writer_left_is_removed_by_the_next(collection: Collection, tmp_path: Path) -> None:
    folder = _words_of(tmp_path / "c")
    (folder.parent / "left").mkdir()
    collection.optimize()
    assert _words_of(tmp_path / "c") == folder


def test_a_model_learns_the_words_of_its_collection_unasked_and_again_when_it_has_grown(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", twofold.load_encoder()) as made:
        assert made.info().lexical is None
        made.add([{"id": "a", "text": "An apple a day."}, {"id": "b", "text": "Bees make honey."}])
        first = made.info().lexical
        assert first is not None
        assert first.documents == 2
        made.tune(analyser="plain")
        made.add([{"id": f"c{n}", "text": f"Cars of the make {n} drive on roads."} for n in range(5)])
        assert made.info().lexical != first
        made.add([{"id": "d", "text": "Dogs bark."}])
        again = made.info().lexical
        assert again is not None
        assert (again.documents, again.settings.analyser) == (8, "plain")
        assert again.fusion != first.fusion
        assert set(made.search("who barks?")[0].parts) == {"dense", "lexical", "lexical evidence", "lexical weight"}


NAMES = ("Alice", "Bob", "Carol", "Dora")
ALIKE = {
    "two equal": (["hello", "hello"], "hello"),
    "one": (["Volcanic rock cools slowly."], "how does rock cool?"),
    "a script that the model does not know": (["สวัสดีชาวโลก", "ราคาน้ำมันขึ้น"], "สวัสดี"),
    "emoji": (["😀", "🚀"], "🚀"),
    "three that are nearly equal": (
        [f"Volcanic rock cools{s} slowly." for s in ("", ",", " very")],
        "how does rock cool?",
    ),
    "one formula": ([f"The area of shape {n} is A = {n} * x^2 + {n + 1} * y." for n in range(50)], "what is the area?"),
    "one form": ([f"Invoice {n} for {NAMES[n % 4]}: {n * 3} euros." for n in range(90)], "what does Carol owe?"),
    "nothing": (["", ""], "anything"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_however_alike_documents_are_both_scores_count(name: str) -> None:
    texts, question = ALIKE[name]
    with twofold.create(None, twofold.load_encoder()) as made:
        made.add([(f"d{n:02}", text) for n, text in enumerate(texts)])
        assert (words := made.info().lexical) is not None
        assert words.fusion is not None
        assert words.fusion.chance < 0.4
        for hit in made.search(question):
            assert -1 < hit.score < 3
            assert hit.parts["lexical"] == 0 or hit.parts["lexical weight"] > 0
        assert name == "nothing" or made.search(question, k=1)[0].score > 0


def test_a_collection_that_began_with_one_text_finds_lexically_what_came_later() -> None:
    codes = [f"{27611 + 3571 * n}-{'ABCD'[n % 4]}" for n in range(20)]
    with twofold.create(None, twofold.load_encoder()) as made:
        made.add([(f"x{n}", "test") for n in range(8)])
        made.add([(f"t{n}", f"Paint number {n} dries in an hour, reference {code}") for n, code in enumerate(codes)])
        assert [made.search(code, k=1)[0].id for code in codes] == [f"t{n}" for n in range(20)]


def test_words_tell_apart_what_a_model_cannot_read(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", twofold.load_encoder()) as made:
        made.add([("a", "ราคาน้ำมัน ขึ้น"), ("b", "สวัสดี ชาวโลก")])
        assert made.search("สวัสดี ชาวโลก", k=1)[0].id == "b"


def test_a_title_that_is_too_long_for_a_query_does_not_end_add() -> None:
    with twofold.create(None, twofold.load_encoder(on_truncation="error")) as made:
        made.add([{"id": str(n), "title": f"word{n} " * 400, "text": f"text {n}"} for n in range(3)])
        assert made.info().lexical is not None


def test_a_share_that_judgements_taught_stays_when_the_collection_grows(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", twofold.load_encoder()) as made:
        made.add([{"id": f"w{n}", "text": word} for n, word in enumerate(WORDS[:12])])
        queries, qrels = dict(enumerate(WORDS[:12])), {n: {f"w{n}": 1} for n in range(12)}
        taught = made.tune(
            queries={str(n): text for n, text in queries.items()}, qrels={str(n): each for n, each in qrels.items()}
        )
        made.add([{"id": f"x{n}", "text": f"Nothing {n} of any interest."} for n in range(40)])
        assert made.info().lexical == taught


def test_own_vectors_without_any_text_say_so_to_a_lexical_search(tmp_path: Path) -> None:
    given = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    with twofold.create(tmp_path / "c", GivenVectors(8)) as made:
        made.add([{"id": "a", "year": 1}, {"id": "b"}], vectors=given[:2])
        with made.searcher() as searcher:
            assert searcher.modes == ()
            with pytest.raises(QueryError, match="no document of this collection has a text or a title"):
                searcher.search("word1", mode="lexical")
        with pytest.raises(QueryError, match="no document of this collection has a text or a title"):
            made.searcher(query_language=True)
        with pytest.raises(QueryError, match="no document of this collection has a text"):
            made.run({"q": "word1"}, mode="lexical")
        assert made.search(given[0])[0].id == made.like("b")[0].id == "a"
        made.add([{"id": "titled", "title": "word1"}], vectors=given[2:])
        assert [hit.id for hit in made.search("word1", mode="lexical")] == ["titled"]
        assert made.search("word2", mode="lexical") == []
        made.delete(all=True)
        assert made.search("word1", mode="lexical") == []


def test_a_collection_whose_encoder_is_not_at_hand_is_searched_lexically(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", Own(64)) as made:
        made.add(documents(0, 60))
        hits = made.search("word1 word7", mode="lexical")
    with twofold.open(tmp_path / "c") as again, again.searcher(query_language=True) as searcher:
        assert again.search("word1 word7", mode="lexical") == hits
        run = again.run({"q": "word1 word7"}, depth=len(hits), mode="lexical")
        assert list(run["q"].items()) == pairs(hits)
        assert searcher.search("+word1 -word0", mode="lexical")
        with pytest.raises(InputError, match=r"open\(…, encoder=YOURS\)\. Lexical search \(mode lexical\)"):
            again.search("word1 word7")


PASSAGES = (
    "alpha beta common gamma delta",
    "delta common beta epsilon zeta",
    "zeta gamma delta common alpha",
    "alpha eta",
)
"""As an encoder of five words divides a text; two neighbours share a word."""


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("epsilon", 1),
        ("alpha gamma", 0),  # as many words in the third
        ("ZETA, gamma", 2),
        ("eta alpha", 3),
        ("common common common eta", 3),  # a rare word says more than a common one, however often it is asked for
        ("alpha -kappa", 3),  # a word says more of a shorter passage
        ("epsilon^0.1 unknown", 1),
        ('"beta epsilon" AND delta', 1),
    ],
)
def test_the_passage_of_a_lexical_hit_has_most_of_the_words_and_is_the_earlier_of_equal_ones(
    query: str, shown: int
) -> None:
    text = " ".join((PASSAGES[0], *(each.split(" ", 1)[1] for each in PASSAGES[1:])))
    with twofold.create(None, Own(64, max_words=5)) as made:
        made.add(
            [("other", "common theta"), ("none", "iota"), ("long", text), ("same", text), ("also", "common kappa")]
        )
        with made.searcher(query_language="-" in query or '"' in query or "^" in query) as searcher:
            hits = {hit.id: hit for hit in searcher.search(query, mode="lexical")}
            assert [hits[name].passage.text for name in ("long", "same")] == [PASSAGES[shown]] * 2
            assert hits["long"].passage.start == text.index(PASSAGES[shown])
            ids = list(hits)
            assert searcher.search(query, k=1, offset=ids.index("same"), mode="lexical") == [hits["same"]]


def test_the_analyser_is_told_from_the_first_texts_and_stays(tmp_path: Path) -> None:
    chinese = [
        ("a", "人人生而自由，在尊严和权利上一律平等。"),
        ("b", "他们赋有理性和良心，并应以兄弟关系的精神相对待。"),
    ]
    encoder = Own(16)
    with twofold.create(tmp_path / "c", encoder) as made:
        assert made.add(chinese).analyser == "ngram, since the texts are mostly Chinese"
        assert [hit.id for hit in made.search("良心", mode="lexical")] == ["b"]
        english = [(f"e{number}", "the red apple is on the table of the house") for number in range(20)]
        assert made.add(english).analyser == "ngram, since the texts are mostly Chinese"  # it has grown fourfold
        assert made.tune(analyser="plain").told == ""
        report = made.info().lexical
        assert report is not None
        assert (report.settings.analyser, report.reason) == ("plain", "")


def test_the_analyser_that_was_asked_for_is_not_told_from_texts(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", Own(16), analyser="german") as made:
        assert made.add([("a", "Häuser und Bäume")]).analyser == ""
        assert [hit.id for hit in made.search("Haus", mode="lexical")] == ["a"]
    with twofold.open_or_create(tmp_path / "c", analyser="german", encoder=Own(16)) as made:
        assert made.settings.analyser == "german"
    with pytest.raises(InputError, match="analyser='german', not 'plain'"):
        twofold.open_or_create(tmp_path / "c", analyser="plain", encoder=Own(16))
    with pytest.raises(InputError, match="there is no analyser 'klingon'"):
        twofold.create(tmp_path / "d", Own(16), analyser="klingon")
    assert not (tmp_path / "d").exists()
