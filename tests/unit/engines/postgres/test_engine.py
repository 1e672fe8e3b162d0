"""The engine in PostgreSQL: what is made, what is refused, and what its schema holds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from postgres_server import Database

import twofold
from twofold.addresses import Address
from twofold.cli.main import main
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import (
    CollectionError,
    DocumentError,
    InputError,
    MovedError,
    NotACollectionError,
    QueryError,
    StorageError,
)

ENCODER = HashedWords(16, max_words=4)


def name_in(address: str) -> str:
    return address.rpartition("=")[2]


def test_a_collection_is_a_schema_that_is_made_once(postgres: Database) -> None:
    address = postgres.address()
    with pytest.raises(NotACollectionError, match=r"there is no collection .* `twofold index DATA --to "):
        twofold.open(address)
    with twofold.create(address, ENCODER) as made:
        made.add([("a", "red")])
        assert repr(made) == f"<Collection {name_in(address)}: 1 document, hashed-words>"
        assert set(made.info().bytes) == {"documents", "vectors", "lexical", "other"}
        assert made.info().path == str(Address.of(address))
        with pytest.raises(InputError, match="is no folder"):
            str(made.path)
    with pytest.raises(InputError, match="there is a collection here already"):
        twofold.create(address, ENCODER)
    with twofold.open_or_create(address, depth=200) as again:
        assert len(again) == 1
    tables = postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name_in(address),))
    assert ("vectors_0",) in tables


def test_a_schema_of_others_is_left_alone_and_an_empty_one_is_taken(postgres: Database) -> None:
    address = postgres.address()
    postgres.execute(f"CREATE SCHEMA {name_in(address)}")
    postgres.execute(f"CREATE TABLE {name_in(address)}.theirs (n int)")
    with pytest.raises(NotACollectionError, match=r"is not empty and is no collection \(it holds theirs\)"):
        twofold.create(address, ENCODER)
    postgres.execute(f"DROP TABLE {name_in(address)}.theirs")
    twofold.create(address, ENCODER).close()


def test_a_collection_that_was_replaced_is_noticed(postgres: Database) -> None:
    address = postgres.address()
    with twofold.create(address, ENCODER) as first:
        postgres.execute(f"DROP SCHEMA {name_in(address)} CASCADE")
        with pytest.raises(NotACollectionError, match="gone or changed"):
            len(first)
        twofold.create(address, ENCODER).close()
        with pytest.raises(MovedError, match="another collection"):
            len(first)


@pytest.mark.parametrize(
    "record",
    [
        {"id": "a", "text": "x\0y"},
        {"id": "a", "text": "x", "title": "\0"},
        {"id": "a", "text": "x", "deep": [{"\0": 1}]},
    ],
)
def test_a_document_with_nul_is_refused_and_nothing_of_its_block_is_stored(
    postgres: Database, record: dict[str, object]
) -> None:
    with twofold.create(postgres.address(), ENCODER) as collection:
        with pytest.raises(DocumentError, match=r"'a'.*NUL.*take it out"):
            collection.add([{"id": "b", "text": "y"}, record])
        assert len(collection) == 0


def test_every_text_and_number_comes_back_as_it_was(postgres: Database) -> None:
    records = [
        {
            "id": "é'\"%s{}",
            "text": "a\\N\t\r\n\x01東京🙂",
            "title": "\\.",
            "n": 1e16,
            "m": [1.0, -0.0, 5e-324, 2**63 - 1],
        },
        {"id": "e\u0301", "text": "", "title": "only", "o": {"b": None, "a": {"%": True}}},
    ]
    with twofold.create(postgres.address(), ENCODER) as collection, twofold.create(None, ENCODER) as local:
        for each in (collection, local):
            each.add(records)
        assert list(collection) == list(local)
        assert [each.metadata_json() for each in collection] == [each.metadata_json() for each in local]


def test_another_encoder_is_migrated_to_and_back(postgres: Database) -> None:
    other = HashedWords(24)
    with twofold.create(postgres.address(), ENCODER) as collection:
        collection.add([(f"d{n}", f"red apple number {n} of many that are green") for n in range(30)])
        collection.tune()
        before = [(hit.id, hit.score) for hit in collection.search("apple number 7", mode="dense")]
        with collection.searcher() as held:
            report = collection.migrate(other, name="new", switch=True)
            assert (report.space, collection.contract.dimension) == ("new", 24)
            assert [(hit.id, hit.score) for hit in held.search("apple number 7", mode="dense")] == before
        collection.add([("late", "violet")])
        collection.delete(["d3"])
        assert [hit.id for hit in collection.search("violet", k=1)] == ["late"]
        with pytest.raises(InputError, match="make another one the default first"):
            collection.drop_space("new")
        collection.switch_space("main")
        assert "late" in {hit.id for hit in collection.search("violet", k=40, mode="dense")}
        assert {each.name: each.documents for each in collection.info().spaces} == {"main": 30, "new": 30}
        collection.drop_space("new")
        assert [each.name for each in collection.info().spaces] == ["main"]
        assert collection.verify().clean


def test_a_verification_finds_what_was_changed_beside_twofold(postgres: Database) -> None:
    address = postgres.address()
    with twofold.create(address, ENCODER) as collection:
        collection.add([(f"d{n}", f"red {n}") for n in range(5)])
        collection.tune()
        assert collection.verify().clean
        postgres.execute(f"UPDATE {name_in(address)}.documents SET metadata = '{{\"n\": 1}}' WHERE id = 'd1'")
        postgres.execute(f"DELETE FROM {name_in(address)}.documents WHERE id = 'd2'")
        postgres.execute(f"DELETE FROM {name_in(address)}.lexical_runs")
        report = collection.verify(repair=True)
        said = [f"{each.place}: {each.message}" for each in report.damage]
        assert said == [
            "documents: 1 documents are not what was written",
            "documents: it holds 4 documents, the last commit says 5",
            "vectors_0 (space main): 1 vectors belong to no document",
            "lexical: it has read the documents up to number 0, the last commit goes up to 5",
        ]
        assert [each.repaired for each in report.damage] == [False, False, False, True]
        assert [hit.id for hit in collection.search("red 4", k=1, mode="lexical")] == ["d4"]


def test_what_the_engine_cannot_do_is_refused_in_words(postgres: Database, tmp_path: Path) -> None:
    with twofold.create(postgres.address(), ENCODER) as collection:
        collection.add([("a", "red"), ("b", "blue")])
        collection.tune()
        with pytest.raises(CollectionError, match="pg_dump"):
            collection.backup(tmp_path / "copy")
        with pytest.raises(InputError, match="no index of the kind 'hnsw'"):
            collection.optimize(index="hnsw")
        with pytest.raises(InputError, match="no approximate index"):
            collection.recall(np.eye(2, 16, dtype=np.float32))
        with pytest.raises(QueryError, match="the query language is not available"):
            collection.searcher(query_language=True)
    with pytest.raises(InputError, match="vectors of tokens are kept in collections in a folder only"):
        twofold.create(postgres.address(), ENCODER, token_vectors=True)
    with pytest.raises(StorageError, match="cannot be reached"):
        twofold.open("postgresql://127.0.0.1:1/nothing?connect_timeout=1")


def test_a_forked_child_reads_and_its_parent_goes_on(postgres: Database) -> None:
    with twofold.create(postgres.address(), ENCODER) as collection:
        collection.add([("a", "red"), ("b", "blue")])
        with collection.writing():
            child = os.fork()
            if child == 0:
                os._exit(0 if collection.search("red", k=1)[0].id == "a" else 1)
            assert os.waitpid(child, 0)[1] == 0
            assert collection.add([("c", "green")]).added == 1
        assert len(collection) == 3


def test_the_command_line_takes_an_address_wherever_it_takes_a_folder(
    postgres: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, data = postgres.address(), tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"id": f"d{n}", "text": f"red apple {n}", "n": n}) + "\n" for n in range(4)))

    def told(*line: str) -> str:
        assert main([*line]) == 0
        return capsys.readouterr().out

    assert f"{address} holds 4 documents" in told("index", str(data), "--to", address, "--encoder", "hashed-words:16")
    assert '"id": "d3"' in told("search", address, "apple 3", "--k", "1", "--json", "--where", '{"n": {"$gt": 1}}')
    assert "4 documents" in told("add", address, str(data))
    assert "documents" in told("info", address)
    assert "d2" in told("get", address, "d2")
    assert "1 document deleted, 3 left" in told("delete", address, "d2")
    assert told("verify", address)
    assert told("optimize", address)
    assert "3 documents" in told("export", address, "--to", str(tmp_path / "out"))
