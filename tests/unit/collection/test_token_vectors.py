"""Token vectors that a collection keeps: made with its documents, durable as they are, searched without encoding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.collection.token_space import TokenSettings
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.token_vectors import TokenEncoder, load_token_encoder
from twofold.errors import ContractError, InputError, QueryError
from twofold.maxsim import TokenVectors
from twofold.rankers.late_interaction import load_late_interaction
from twofold.token_codes import STORED

LONG = " ".join(f"Sentence {n} of a report about rivers, weirs and the fish that climb them." for n in range(60))
DOCUMENTS: list[dict[str, object]] = [
    {"id": "hopper", "title": "Compilers", "text": "The first compiler was written by Grace Hopper in 1952."},
    {"id": "honey", "text": "Honey is made by bees, and stored in a hive."},
    {"id": "rivers", "text": f"{LONG} Salmon sleep in the shade of a bridge.", "year": 1990},
    {"id": "empty", "text": ""},
    {"id": "titled", "title": "Lisp", "text": ""},
]
QUERIES = ["who wrote the first compiler?", "where do salmon rest", "insects that store food"]


def dicts(*ids: str) -> list[dict[str, object]]:
    return [dict(each) for each in DOCUMENTS if each["id"] in ids] if ids else [dict(each) for each in DOCUMENTS]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """One whose dense vectors are quickly made."""
    with create(tmp_path / "c", HashedWords(64), token_vectors="all-MiniLM-L6-v2") as made:
        made.add(dicts())
        yield made


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """One whose token vectors are the states of its own encoder; only read."""
    with create(tmp_path_factory.mktemp("own") / "c", token_vectors=True) as made:
        made.add(dicts())
        yield made


def ranked(collection: Collection, **options: object) -> list[list[tuple[str, float]]]:
    found = collection.search_many(QUERIES, ranker=STORED, **options)  # type: ignore[arg-type]
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


def words(collection: Collection) -> dict[str, bytes]:
    """The stored rows of each document."""
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        rows = {
            name: snapshot.passages(np.array([number]), STORED)
            for name, number in snapshot.find(collection.ids()).items()
        }
        return {name: snapshot.codes(each.handles, STORED).tobytes() for name, each in rows.items()}


def test_stored_vectors_rank_as_the_encoder_does_and_encode_no_document(own: Collection) -> None:
    loaded = load_late_interaction()
    by_codes = [[hit.id for hit in hits] for hits in own.search_many(QUERIES, ranker=STORED)]
    by_encoder = [[hit.id for hit in hits] for hits in own.search_many(QUERIES, ranker=loaded)]
    assert [ids[0] for ids in by_codes] == ["hopper", "rivers", "honey"] == [ids[0] for ids in by_encoder]
    hit = own.search(QUERIES[0], ranker=STORED)[0]
    text = loaded.scores(QUERIES[0], [f"{hit.title} {hit.passage.text}"])[0]
    assert hit.score == pytest.approx(text, abs=0.03)
    assert hit.parts[STORED] == hit.score


def test_a_score_has_the_same_bits_whatever_k_page_depth_and_batch(own: Collection) -> None:
    whole = {query: dict(hits) for query, hits in zip(QUERIES, ranked(own, k=5), strict=True)}
    for options in ({"k": 1}, {"k": 2, "offset": 1}, {"rerank_depth": 2}, {"mode": "dense"}, {"mode": "lexical"}):
        for query in QUERIES:
            for hit in own.search(query, ranker=STORED, **options):
                assert hit.score == whole[query][hit.id]


def test_a_hit_shows_the_passage_whose_vectors_scored_best(own: Collection) -> None:
    hit = own.search(QUERIES[1], k=1, ranker=STORED)[0]
    assert (hit.id, "Salmon sleep" in hit.passage.text, hit.passage.start > 0) == ("rivers", True, True)


def test_what_has_no_text_and_no_title_scores_minus_one(collection: Collection) -> None:
    collection.delete(["hopper", "honey", "rivers", "titled"])
    assert collection.search("anything", ranker=STORED, mode="dense") == []
    with collection.searcher() as searcher:
        stored = searcher._tokens
        assert stored is not None
        ((scores, spans),) = stored.ranked(["anything"], [searcher.snapshot.select()])
    assert (scores.tolist(), spans.tolist()) == ([-1.0], [[0, 0]])


def test_adding_replacing_and_deleting_keep_them_in_step(collection: Collection) -> None:
    before = words(collection)
    collection.add(
        [{"id": "new", "text": "Wine is made from grapes."}, {"id": "honey", "text": "Mead is fermented honey."}]
    )
    collection.update([{"id": "rivers", "year": 2000}])
    collection.delete(["titled"])
    after = words(collection)
    assert set(after) == {"hopper", "honey", "rivers", "empty", "new"}
    assert after["honey"] != before["honey"]
    assert (after["rivers"], after["hopper"], after["empty"]) == (before["rivers"], before["hopper"], b"")
    assert collection["rivers"].metadata == {"year": 2000}
    assert collection.verify().clean


def test_compacting_a_backup_and_opening_again_change_no_bit(collection: Collection, tmp_path: Path) -> None:
    collection.delete(["honey"])
    before, scores = words(collection), ranked(collection)
    collection.optimize()
    assert (words(collection), ranked(collection)) == (before, scores)
    collection.backup(tmp_path / "copy")
    with open_collection(tmp_path / "copy") as copy:
        assert (words(copy), ranked(copy)) == (before, scores)
        assert copy.verify().clean


def test_a_changed_byte_is_found_and_named(collection: Collection, tmp_path: Path) -> None:
    (file,) = (tmp_path / "c" / "vectors" / STORED).iterdir()
    with open(file, "r+b") as opened:
        opened.seek(200)
        opened.write(b"\xff\xfe\xfd")
    (damage,) = collection.verify().damage
    assert damage.place == f"vectors/{STORED}/{file.name}"
    assert "hopper" in damage.documents


def test_documents_that_are_there_get_them_and_an_interrupted_call_goes_on(
    tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.collection.filling.AT_ONCE", 2)

    def stop(done: int, total: int | None) -> None:
        if total and done >= 2:
            raise KeyboardInterrupt

    with create(tmp_path / "later", HashedWords(64)) as later:
        later.add(dicts())
        with pytest.raises(QueryError, match="keeps no token vectors"):
            later.search(QUERIES[0], ranker=STORED)
        with pytest.raises(KeyboardInterrupt):
            later.add_token_vectors("all-MiniLM-L6-v2", progress=stop)
        with pytest.raises(QueryError, match="not complete"):
            later.search(QUERIES[0], ranker=STORED)
        later.add([{"id": "new", "text": "Wine is made from grapes."}])
        assert later.add_token_vectors("all-MiniLM-L6-v2") == 4
        collection.add([{"id": "new", "text": "Wine is made from grapes."}])
        assert (words(later), ranked(later)) == (words(collection), ranked(collection))


def test_other_settings_than_those_that_are_kept_are_refused(collection: Collection, tmp_path: Path) -> None:
    assert collection.add_token_vectors("all-MiniLM-L6-v2") == 0
    with pytest.raises(InputError, match=r"of the embedded model in 4 bits.*--drop token-vectors"):
        collection.add_token_vectors(TokenSettings("all-MiniLM-L6-v2", bits=2))
    collection.drop_space(STORED)
    collection.add_token_vectors(TokenSettings("all-MiniLM-L6-v2", bits=2, pooling=2))
    with pytest.raises(InputError, match="holds token vectors"):
        collection.switch_space(STORED)
    halves = {name: len(each) for name, each in words(collection).items()}
    assert ranked(collection)[0][0][0] == "hopper"
    assert halves["rivers"] * 3 < 8 * 60 * 15 * 8 * 98


def test_an_encoder_without_token_states_needs_a_model_that_has_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"encoder \(hashed-words\) has no token states; name a model"):
        create(tmp_path / "c", HashedWords(64), token_vectors=True)
    assert not (tmp_path / "c").exists()


def test_a_space_of_another_contract_is_never_searched(collection: Collection) -> None:
    encoder = load_token_encoder(pooling=2)
    with collection.searcher() as searcher:
        space = next(space for space in searcher.snapshot.spaces if space.unit == "token")
    with pytest.raises(ContractError):
        collection._encoders.give_tokens(space, encoder)


def test_without_a_depth_whatever_either_side_found_is_scored(own: Collection) -> None:
    query = "Grace fish"
    scores = {hit.id: hit.score for hit in own.search(query, ranker=STORED)}
    with own.searcher(depth=1) as searcher:
        (dense,), (lexical,) = (searcher.search(query, mode=mode) for mode in ("dense", "lexical"))
        (mixed,), (best,) = searcher.search(query), searcher.search(query, ranker=STORED)
        assert (dense.id, lexical.id, mixed.id, best.id) == ("hopper", "rivers", "hopper", "rivers")
        assert scores["rivers"] == best.score > scores["hopper"]
        assert searcher.search(query, ranker=STORED, rerank_depth=1)[0].id == "hopper"


def test_info_says_their_bytes_beside_those_of_dense_vectors(own: Collection) -> None:
    info = own.info()
    tokens = next(space for space in info.spaces if space.of_tokens)
    assert tokens.bytes == sum(len(each) for each in words(own).values())
    assert info.facts()["token vectors"] == (
        f"all-MiniLM-L6-v2, embedded; 384 numbers in 4 bits, {tokens.bytes / 5:,.0f} bytes a document, "
        f"{info.passages * 768 / 5:,.0f} of dense vectors"
    )
    assert str(tokens) == "token-vectors (complete): 5 documents, vectors of 384 in 4-bit"


def test_an_export_holds_the_vectors_with_their_passages(own: Collection, tmp_path: Path) -> None:
    own.export(tmp_path / "out")
    vectors = np.load(tmp_path / "out" / "token_vectors.npy")
    lines = [json.loads(line) for line in (tmp_path / "out" / "token_passages.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == np.cumsum([0, *(line["vectors"] for line in lines)])[:-1].tolist()
    assert (vectors.dtype, vectors.shape) == (np.float16, (sum(line["vectors"] for line in lines), 384))
    titled = next(line for line in lines if line["id"] == "titled")
    encoded = load_token_encoder().encode_documents(["Lisp"]).vectors
    stored = vectors[titled["row"] : titled["row"] + titled["vectors"]].astype(np.float32)
    assert np.einsum("ij,ij->i", stored, encoded) == pytest.approx(np.ones(len(encoded)), abs=0.01)
    about = json.loads((tmp_path / "out" / "export.json").read_text())["token_vectors"]
    assert (about["vectors"], about["dimension"], about["bits"]) == (len(vectors), 384, 4)


def test_a_migration_of_the_dense_vectors_keeps_them(collection: Collection) -> None:
    before, scores = words(collection), ranked(collection)
    collection.migrate(HashedWords(32), name="smaller", switch=True)
    assert collection.contract.dimension == 32
    assert (words(collection), ranked(collection)) == (before, scores)
    collection.add([{"id": "new", "text": "Wine is made from grapes."}])
    assert collection.search("grapes", ranker=STORED)[0].id == "new"


def test_passages_that_stay_as_they_were_keep_their_token_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"tokens": 32, "overlap": 0}
    paragraphs = [f"In paragraph {n} a weir holds back the water of river number {n * n}.\n\n" * 2 for n in range(6)]
    before, after = "".join(paragraphs), "".join([*paragraphs[:2], "This one is new.\n\n" * 4, *paragraphs[3:]])
    read: list[str] = []
    encode = TokenEncoder.encode_documents

    def counted(self: TokenEncoder, texts: Sequence[str], **options: Any) -> TokenVectors:
        read.extend(texts)
        return encode(self, texts, **options)

    monkeypatch.setattr(TokenEncoder, "encode_documents", counted)
    with create(tmp_path / "c", HashedWords(64), passages=sizes, token_vectors="all-MiniLM-L6-v2") as changed:
        changed.add([{"id": "rivers", "text": before}, {"id": "other", "text": "Honey."}])
        read.clear()
        changed.add([{"id": "rivers", "text": after}, {"id": "new", "text": "Bees."}])
        assert 0 < len(read) < 6
        assert all("This one is new." in text or text == "Bees." for text in read)
        found = words(changed)
    with create(tmp_path / "d", HashedWords(64), passages=sizes, token_vectors="all-MiniLM-L6-v2") as anew:
        anew.add([{"id": "rivers", "text": after}, {"id": "new", "text": "Bees."}])
        assert {name: found[name] for name in ("rivers", "new")} == words(anew)
