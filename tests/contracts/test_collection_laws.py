"""What holds for every collection that people work with: in a folder, in PostgreSQL, and one that is served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')
pytest.importorskip("httpx", reason='the client is an extra: pip install "twofold[client]"')

import httpx
from postgres_server import Database
from served import served

import twofold
from twofold import errors
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.serving import calls
from twofold.serving.access import new_key
from twofold.serving.answers import HitsTold
from twofold.serving.settings import Limits

DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "tea",
        "text": "Green tea is steeped at eighty degrees.",
        "title": "Tea",
        "year": 1990,
        "tags": ["hot", "green"],
    },
    {"id": "coffee", "text": "Coffee is brewed with water of ninety degrees.", "year": 2001, "tags": ["hot"]},
    {"id": "milk/white <b>", "text": "Milk is white.", "year": 2001},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("collections") / "notes.twofold"
    with twofold.create(path, HashedWords(64)) as notes:
        notes.add(DOCUMENTS)
        notes.tune()
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with served(folder, limits=Limits(batch=700)) as address:
        yield address


@pytest.fixture(scope="module")
def in_postgres(postgres: Database) -> str:
    address = postgres.address()
    with twofold.create(address, HashedWords(64)) as notes:
        notes.add(DOCUMENTS)
        notes.tune()
    return address


@pytest.fixture(params=["local", "postgres", "served"])
def notes(request: pytest.FixtureRequest, folder: Path) -> Iterator[Any]:
    with twofold.open(folder) as collection:
        collection.optimize()  # what earlier tests deleted counts in no score
    if request.param == "local":
        with twofold.open(folder) as collection:
            yield collection
    elif request.param == "postgres":
        with twofold.open(request.getfixturevalue("in_postgres")) as collection:
            collection.optimize()
            yield collection
    else:
        with twofold.connect(request.getfixturevalue("url"), "notes") as remote:
            yield remote


@pytest.mark.parametrize(
    "options",
    [{}, {"k": 1}, {"mode": "dense"}, {"mode": "lexical"}, {"where": {"year": 2001}}, {"passages": 2, "context": 1}],
)
def test_hits_are_those_of_the_collection_bit_for_bit(notes: Any, folder: Path, options: Any) -> None:
    with twofold.open(folder) as local:
        expected = local.search("water of tea", **options)
        found = notes.search("water of tea", **options)
        assert list(found) == list(expected)
        assert [hit.parts for hit in found] == [hit.parts for hit in expected]
        assert found._repr_html_() == expected._repr_html_()
        vector = local.encoder.encode_queries(["milk"])[0]
        assert list(notes.search(vector)) == list(local.search(vector))
        assert list(notes.search("tea", vector=vector, mode="dense")) == list(local.search(vector, mode="dense"))


@pytest.fixture(scope="module")
def planets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of two pages and three headings, in several passages."""
    path = tmp_path_factory.mktemp("planets") / "planets.twofold"
    mars, venus = "Two moons circle it. Both are small. " * 4, "No moon is there. " * 4
    text = f"# Mars\n\n## Moons\n\n{mars}\f# Venus\n\n{venus}"
    with twofold.create(path, HashedWords(64), passages={"tokens": 24, "overlap": 0}) as collection:
        collection.add([("planets", text), ("tea", "Tea is steeped, not under a moon.")])
        collection.tune()
    return path


@pytest.mark.parametrize(
    "options", [{}, {"mode": "dense"}, {"mode": "lexical"}, {"passages": 4, "context": 1}, {"unit": "passage"}]
)
def test_a_served_hit_says_headings_page_sentence_and_terms_as_a_local_one_does(planets: Path, options: Any) -> None:
    def told(hit: Any) -> list[Any]:
        each = [replace(hit, passage=passage) for passage in hit.passages]
        return [(one.passage.headings, one.passage.page, one.sentence, one.highlights) for one in each]

    with twofold.open(planets) as local, served(planets) as url, twofold.connect(url, "planets") as remote:
        expected, found = (each.search("small moon of Mars", **options) for each in (local, remote))
        assert [told(hit) for hit in found] == [told(hit) for hit in expected]
        assert any(page is not None and headings and spans for hit in found for headings, page, _, spans in told(hit))
        vector = local.encoder.encode_queries(["moon"])[0]
        assert {hit.sentence for hit in remote.search(vector)} == {None}
        answer = httpx.post(
            f"{url}/v1/collections/planets/search",
            json={"query": "small moon of Mars", "marks": True, "explain": True, "whole": True, **options},
        ).json()
    assert [hit.headings for hit in HitsTold.model_validate(answer).hits] == [[*hit.passage.headings] for hit in found]


def test_many_queries_are_answered_in_their_order(notes: Any) -> None:
    queries = ["tea", "coffee", "milk", "water"] * 200
    found = notes.search_many(queries, k=2, mode="dense")
    assert len(found) == 800
    assert [list(hits) for hits in found[:4]] == [list(notes.search(each, k=2, mode="dense")) for each in queries[:4]]
    assert list(found[-1]) == list(found[3])


def test_documents_are_read_by_id_by_filter_and_by_page(notes: Any, folder: Path) -> None:
    tea, _, milk = (notes.get(each["id"]) for each in DOCUMENTS)
    assert tea == Document("tea", DOCUMENTS[0]["text"], "Tea", {"year": 1990, "tags": ["hot", "green"]})
    assert notes["milk/white <b>"] == milk
    assert notes.get("none") is None
    assert notes.get(["none", "tea"]) == [None, tea]
    assert [each.id for each in notes.get(where={"year": 2001}, limit=1, offset=1)] == ["milk/white <b>"]
    assert notes.ids(where={"tags": "hot"}) == ["tea", "coffee"]
    assert [each.id for each in notes] == [each["id"] for each in DOCUMENTS]
    assert (len(notes), notes.count(["tea", "none"]), notes.count(where={"year": 1990})) == (3, 1, 1)
    assert ("tea" in notes, "none" in notes) == (True, False)
    assert notes.facets("tags") == {"hot": 2, "green": 1}
    with twofold.open(folder) as local:
        assert list(notes.like("tea", k=1)) == list(local.like("tea", k=1))


def test_documents_are_written_changed_and_deleted(notes: Any) -> None:
    report = notes.add([("a", "red apple"), Document("b", "blue plum", metadata={"n": 1})])
    assert (report.added, report.passages, report.documents) == (2, 2, 2)
    assert notes.add(("a", "red apple") for _ in range(1)).unchanged == 1
    assert notes.update({"id": "b", "n": 2}).metadata_only == 1
    assert notes["b"] == Document("b", "blue plum", metadata={"n": 2})
    assert notes.search("blue plum")[0].id == "b"
    assert notes.delete("a") == 1
    assert notes.delete(where={"n": 2}) == 1
    assert len(notes) == 3


def test_more_documents_than_one_request_takes_are_added_and_deleted(notes: Any) -> None:
    many = [{"id": f"n{number}", "text": f"number {number}", "many": True} for number in range(1_200)]
    report = notes.add(many)
    assert (report.added, report.passages) == (1_200, 1_200)
    assert notes.ids(where={"many": True}) == [each["id"] for each in many]
    assert notes.count([each["id"] for each in many]) == 1_200
    assert notes.delete([each["id"] for each in many]) == 1_200


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda notes: notes.search(""), errors.QueryError),
        (lambda notes: notes.search("a", where={"$x": 1}), errors.FilterError),
        (lambda notes: notes.search_many("a"), errors.QueryError),
        (lambda notes: notes.get(limit=-1), errors.InputError),
        (lambda notes: notes.get("tea", where={"year": 1}), errors.InputError),
        (lambda notes: notes.add([{"id": "x"}]), errors.DocumentError),
        (lambda notes: notes.add("x"), errors.DocumentError),
        (lambda notes: notes.update([{"id": "none", "n": 1}]), errors.NoDocumentError),
        (lambda notes: notes.delete(), errors.InputError),
        (lambda notes: notes["none"], KeyError),
        (lambda notes: notes.search(np.ones(3, np.float32)), errors.VectorError),
    ],
)
def test_what_is_wrong_is_the_same_error(notes: Any, work: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        work(notes)


def test_a_batch_that_the_server_refuses_is_sent_in_halves(folder: Path) -> None:
    with served(folder, limits=Limits(batch=100)) as url, twofold.connect(url, "notes") as notes:
        assert notes.add([(f"h{number}", "half") for number in range(450)]).added == 450
        assert (
            sum(notes.delete([f"h{number}" for number in range(start, start + 50)]) for start in range(0, 450, 50))
            == 450
        )


def test_documents_are_sent_in_parts_of_bounded_size() -> None:
    records = [{"id": str(number), "text": "x" * (calls.BYTES // 3)} for number in range(5)]
    assert [len(part) for part in calls._parts(records)] == [2, 2, 1]
    assert [len(part) for part in calls._parts([{"id": "a"}] * (calls.AT_ONCE + 1))] == [calls.AT_ONCE, 1]


def test_the_methods_that_are_awaited_are_the_same(url: str, folder: Path) -> None:
    async def work() -> None:
        async with await twofold.connect_async(url, "notes") as notes:
            hits, many = await asyncio.gather(notes.search("tea"), notes.search_many(["milk", "tea"]))
            with twofold.open(folder) as local:
                assert list(hits) == list(local.search("tea"))
                assert list(many[0]) == list(local.search("milk"))
                assert await notes.get_many(["tea", "none"]) == [local["tea"], None]
            assert (await notes.add([("a", "red apple")])).added == 1
            assert await notes.count() == 4
            assert [each.id async for each in notes][-1] == "a"
            assert (await notes.update({"id": "a", "n": 1})).documents == 1
            assert (await notes.get("a")) == (await notes.page(where={"n": 1}))[0]
            assert (await notes.ids(where={"n": 1}), await notes.facets("n")) == (["a"], {1: 1})
            assert (await notes.info())["name"] == "notes"
            assert len(await notes.like("a", k=2)) == 2
            assert await notes.delete("a") == 1
            with pytest.raises(errors.FilterError):
                await notes.search("a", where={"$x": 1})

    asyncio.run(work())


def test_a_server_that_is_not_there_or_does_not_know_the_name_or_key_is_told(folder: Path, tmp_path: Path) -> None:
    key, digest = new_key()
    keys = tmp_path / "keys.jsonl"
    keys.write_text(f'{{"name": "k", "sha256": "{digest}", "scopes": ["read"]}}\n')
    with served(folder, keys=str(keys)) as url:
        with pytest.raises(errors.UnknownKeyError, match="API key"):
            twofold.connect(url, "notes")
        with pytest.raises(errors.NotServedError, match="no collection 'wiki'"):
            twofold.connect(url, "wiki", key=key)
        with twofold.connect(url, "notes", key=key) as notes, pytest.raises(errors.AccessError, match="only read"):
            notes.add([("a", "b")])
    with pytest.raises(errors.ServiceError, match="cannot be reached"):
        twofold.connect(url, "notes")
    with pytest.raises(errors.InputError, match=r"http://127\.0\.0\.1:8080"):
        twofold.connect("localhost", "notes")
