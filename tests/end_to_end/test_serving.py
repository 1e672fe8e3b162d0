"""A server as a process, asked as its clients ask it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')

import twofold
from twofold.encoders.hashed_words import HashedWords
from twofold.serving.access import new_key

DOCUMENTS = [
    {"id": "tea", "text": "Green tea is steeped at eighty degrees.", "year": 1990, "tenant": "a"},
    {"id": "coffee", "text": "Coffee is brewed with water of ninety degrees.", "year": 2001, "tenant": "b"},
    {"id": "milk/white", "text": "Milk is white.", "year": 2001, "tenant": "a"},
]


class Server:
    """A server of one collection, `notes`."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "twofold", "serve", str(folder), "--port", "0", "--json", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def ask(self, path: str, body: object = None, *, method: str | None = None, **headers: str) -> tuple[int, Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): each for name, each in headers.items()}}
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def search(self, **body: Any) -> list[dict[str, Any]]:
        status, answer = self.ask("/v1/collections/notes/search", body)
        assert status == 200, answer
        hits: list[dict[str, Any]] = answer["hits"]
        return hits

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=60)
        assert "Traceback" not in error
        return self.process.returncode


def made(folder: Path) -> Path:
    with twofold.create(folder / "notes.twofold", HashedWords(64)) as notes:
        notes.add(DOCUMENTS)
        notes.tune()
    return folder / "notes.twofold"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    yield running
    running.end()


def test_a_search_over_http_is_the_search_of_the_collection(server: Server, folder: Path) -> None:
    with twofold.open(folder) as notes:
        for options in ({}, {"k": 1}, {"mode": "dense"}, {"mode": "lexical"}, {"where": {"year": 2001}}):
            expected = [hit.to_json() for hit in notes.search("water of tea", **options)]
            assert server.search(query="water of tea", **options) == expected
        with ThreadPoolExecutor(8) as clients:
            queries = ["tea", "coffee", "milk", "water"] * 8
            found = list(clients.map(lambda query: server.search(query=query), queries))
        assert found == [[hit.to_json() for hit in notes.search(query)] for query in queries]


def test_what_another_process_commits_is_found_by_the_next_search(server: Server, folder: Path) -> None:
    with twofold.open(folder) as notes:
        notes.add([("beer", "Beer is brewed from barley.")])
        assert server.search(query="barley", mode="lexical")[0]["id"] == "beer"
        notes.delete("beer")
        assert server.search(query="barley", mode="lexical") == []


def test_documents_are_written_read_and_deleted(server: Server) -> None:
    base = "/v1/collections/notes"
    assert server.ask(base + "/documents", {"documents": [{"id": "x/y", "text": "Rum.", "n": 1}]})[1]["added"] == 1
    assert server.ask(base + "/documents", {"documents": [{"id": "x/y", "n": 2}]}, method="PATCH")[0] == 200
    assert server.ask(base + "/documents/x/y")[1]["metadata"] == {"n": 2}
    assert server.ask(base + "/documents/get", {"ids": ["no", "x/y"]})[1]["documents"][0] is None
    assert server.ask(base + "/facets", {"fields": ["n"]})[1] == {"facets": {"n": [{"value": 2, "count": 1}]}}
    assert server.ask(base + "/documents/x/y", method="DELETE")[1] == {"deleted": 1}
    assert server.ask(base + "/documents/x/y")[0] == 404
    assert server.ask(base + "/count", {})[1] == {"count": 3}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/search", {"query": ""}, 400, "QueryError"),
        ("/search", {"query": "a", "k": 0}, 400, "InputError"),
        ("/search", {"query": "a", "kk": 1}, 400, "InputError"),
        ("/search", {"query": "a", "k": 5_000}, 413, "LimitError"),
        ("/search", {"query": "a", "where": {"$x": 1}}, 400, "FilterError"),
        ("/search", {"query": "a", "ranker": "/etc/passwd"}, 400, "QueryError"),
        ("/search", b'{"query": "a", "query": "b"}', 400, "InputError"),
        ("/search", b'{"query": NaN}', 400, "InputError"),
        ("/search", b"[" * 100 + b"]" * 100, 413, "LimitError"),
        ("/documents", {"documents": [{"id": ""}]}, 400, "DocumentError"),
        ("/documents/delete", {}, 400, "InputError"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(server: Server, path: str, body: object, status: int, code: str) -> None:
    found, answer = server.ask("/v1/collections/notes" + path, body)
    assert (found, answer["error"]["code"]) == (status, code)


def test_no_queries_have_no_results(server: Server) -> None:
    assert server.ask("/v1/collections/notes/search", {"queries": []}) == (200, {"results": []})


def test_other_hosts_and_pages_of_other_sites_are_refused(server: Server) -> None:
    assert server.ask("/v1/collections", Host="evil.example")[0] == 403
    assert server.ask("/v1/collections", Origin="http://evil.example")[0] == 403


@pytest.mark.parametrize("path", ["/health", "/v1/collections", "/v1/collections/none"])
def test_every_answer_forbids_what_a_browser_might_do_with_it(server: Server, path: str) -> None:
    try:
        with urllib.request.urlopen(server.url + path, timeout=60) as answer:
            headers = answer.headers
    except HTTPError as error:
        with error:
            headers = error.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Access-Control-Allow-Origin"] is None


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    connection.putrequest("POST", "/v1/collections/notes/search")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(33 * 2**20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["code"] == "LimitError"
    connection.close()


def test_a_folder_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    folder = made(tmp_path)
    server = Server(folder)
    assert server.ask("/v1/collections/notes/count", {})[1] == {"count": 3}
    with twofold.create(tmp_path / "other.twofold", HashedWords(64)) as other:
        other.add([("beer", "Beer is brewed from barley.")])
    folder.rename(tmp_path / "old.twofold")
    (tmp_path / "other.twofold").rename(folder)
    assert [hit["id"] for hit in server.search(query="barley", mode="dense")] == ["beer"]
    assert server.ask("/v1/collections/notes/count", {})[1] == {"count": 1}
    server.end()


def test_no_answer_names_a_folder(server: Server, folder: Path) -> None:
    for path in ("/v1/collections", "/v1/collections/notes", "/info", "/v1/models"):
        status, answer = server.ask(path)
        assert status == 200
        assert str(folder.parent) not in json.dumps(answer)


def test_each_family_has_its_own_errors(server: Server) -> None:
    assert server.ask("/embed", {"inputs": ""}) == (422, {"error": "text 0 is empty", "error_type": "Validation"})
    assert set(server.ask("/v2/rerank", {"query": "a", "documents": []})[1]) == {"message"}


LONG = " ".join(["word"] * 300)
"""Longer than the encoder of these tests reads, which is 256 words."""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "notes", "input": ["a", LONG]}),
        ("/v1/embeddings", {"model": "notes", "input": LONG, "input_type": "query"}),
        ("/embed", {"inputs": LONG}),
        ("/rerank", {"query": "word", "texts": ["a", LONG]}),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": [LONG]}}),
        ("/v2/rerank", {"model": "notes", "query": LONG, "documents": ["a"]}),
    ],
)
def test_a_text_that_is_too_long_is_refused_unless_it_may_be_cut(server: Server, path: str, body: Any) -> None:
    status, answer = server.ask(path, body)
    assert status in (400, 422)
    assert "44 tokens longer" in json.dumps(answer)
    if path != "/v2/rerank":
        inside = {"parameters": {"truncate": True}} if path == "/similarity" else {"truncate": True}
        assert server.ask(path, {**body, **inside})[0] == 200


def test_a_text_as_long_as_the_model_reads_is_encoded_whole_and_its_tokens_are_counted(server: Server) -> None:
    whole = " ".join(["word"] * 256)
    answer = server.ask("/v1/embeddings", {"model": "notes", "input": ["two words", whole]})[1]
    assert answer["usage"] == {"prompt_tokens": 258, "total_tokens": 258}
    cut = server.ask("/v1/embeddings", {"model": "notes", "input": LONG, "truncate": True})[1]
    assert cut["usage"]["total_tokens"] == 256


def test_reranking_counts_tokens_says_what_was_cut_and_reads_so_many_tokens_of_each_text(server: Server) -> None:
    body = {"model": "notes", "query": "green tea", "documents": ["green tea and milk", LONG]}
    answer = server.ask("/v1/rerank", body)[1]
    assert answer["usage"]["total_tokens"] == 2 + 4 + 256
    assert "cut at their ends: documents 1" in answer["meta"]["warnings"][0]
    short = server.ask("/v2/rerank", {**body, "max_tokens_per_doc": 2})[1]
    assert "warnings" not in short["meta"]
    assert short["results"][0] == {"index": 0, "relevance_score": pytest.approx(1)}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "notes", "input": "a", "task": "x"}),
        ("/v2/rerank", {"query": "a", "documents": ["a"], "rank_fields": ["title"]}),
        ("/v2/rerank", {"query": "a", "documents": ["a"], "return_documents": True}),
        ("/embed", {"inputs": "a", "truncation_direction": "Left"}),
        ("/embed", {"inputs": "a", "prompt_name": "clustering"}),
        ("/tokenize", {"inputs": "a", "add_special_tokens": True}),
    ],
)
def test_what_the_server_would_have_to_ignore_is_refused(server: Server, path: str, body: Any) -> None:
    assert server.ask(path, body)[0] in (400, 422)


def test_the_client_of_openai_works(server: Server) -> None:
    openai = pytest.importorskip("openai", reason="the client of OpenAI is not installed")
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none") as client:
        packed = client.embeddings.create(model="notes", input=["green tea", "milk"]).data
        plain = client.embeddings.create(model="notes", input="milk", encoding_format="float").data
        assert packed[1].embedding == pytest.approx(plain[0].embedding)
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="another", input="a")
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(model="notes", input="a", dimensions=3)


def test_the_client_of_cohere_works(server: Server) -> None:
    cohere = pytest.importorskip("cohere", reason="the client of Cohere is not installed")
    httpx = pytest.importorskip("httpx", reason="the client of Cohere is not installed")
    with httpx.Client() as connection:
        client = cohere.ClientV2(api_key="none", base_url=server.url, httpx_client=connection)
        found = client.rerank(model="notes", query="green tea", documents=["milk", "green tea"], top_n=1)
    assert [each.index for each in found.results] == [1]


def test_keys_are_asked_for_and_their_filter_always_holds(tmp_path: Path) -> None:
    folder, base = made(tmp_path), "/v1/collections/notes"
    (reads, read_hash), (writes, write_hash) = new_key(), new_key()
    lines = [
        {"name": "r", "sha256": read_hash},
        {"name": "w", "sha256": write_hash, "scopes": ["read", "write"], "where": {"tenant": "a"}},
    ]
    keys = tmp_path / "keys.jsonl"
    keys.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    server = Server(folder, "--keys", str(keys))
    assert server.ask(base)[0] == 401
    assert server.ask(base, Authorization="Bearer wrong")[0] == 401
    reader, tenant = {"Authorization": f"Bearer {reads}"}, {"Authorization": f"Bearer {writes}"}
    assert server.ask(base + "/documents/delete", {"all": True}, **reader)[0] == 403
    assert server.ask(base + "/count", {}, **reader)[1] == {"count": 3}
    assert server.ask(base + "/count", {}, **tenant)[1] == {"count": 2}
    hits = server.ask(base + "/search", {"query": "coffee water degrees"}, **tenant)[1]["hits"]
    assert {hit["id"] for hit in hits} <= {"tea", "milk/white"}
    assert server.ask(base + "/documents/coffee", **tenant)[0] == 404
    assert server.ask(base + "/like", {"id": "coffee"}, **tenant)[0] == 404
    for record in ({"id": "new", "text": "x"}, {"id": "coffee", "text": "x", "tenant": "a"}):
        assert server.ask(base + "/documents", {"documents": [record]}, **tenant)[0] == 403
    moved = {"documents": [{"id": "tea", "tenant": "b"}]}
    assert server.ask(base + "/documents", moved, method="PATCH", **tenant)[0] == 403
    assert server.ask(base + "/documents/delete", {"ids": ["coffee"]}, **tenant)[1] == {"deleted": 0}
    assert server.ask(base + "/documents/delete", {"all": True}, **tenant)[1] == {"deleted": 2}
    assert server.ask(base + "/count", {}, **reader)[1] == {"count": 1}
    server.end()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str], dict[str, str]]]:
    """A server, and the headers of two keys that write: one for all documents, one for those of a tenant."""
    folder = tmp_path_factory.mktemp("tenants")
    with twofold.create(folder / "notes.twofold", HashedWords(64)) as notes:
        notes.add(
            [
                {"id": "tea", "text": "Green tea.", "owner": {"tenant": "a"}},
                {"id": "rum", "text": "White rum.", "owner": {"tenant": "b"}},
                {"id": "gin", "text": "Dry gin.", "owner": {"tenant": ["a", "b"]}},
            ]
        )
    (whole, whole_hash), (own, own_hash) = new_key(), new_key()
    scopes = ["read", "write"]
    lines = [
        {"name": "all", "sha256": whole_hash, "scopes": scopes},
        {"name": "own", "sha256": own_hash, "scopes": scopes, "where": {"owner.tenant": "a"}},
    ]
    (folder / "keys.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    server = Server(folder / "notes.twofold", "--keys", str(folder / "keys.jsonl"))
    yield server, {"Authorization": f"Bearer {whole}"}, {"Authorization": f"Bearer {own}"}
    server.end()


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": {"tenant": "b"}},
        {"owner": None},
        {"owner.tenant": "b"},
        {"metadata": {"owner.tenant": "b"}},
        {"owner": {"tenant": ["a", "b"]}},
    ],
)
def test_no_name_of_a_field_moves_a_document_out_of_a_keys_filter(
    tenants: tuple[Server, dict[str, str], dict[str, str]], fields: dict[str, Any]
) -> None:
    server, whole, own = tenants
    base, body = "/v1/collections/notes/documents", {"documents": [{"id": "tea", **fields}]}
    assert server.ask(base, body, method="PATCH", **own)[0] == 403
    assert server.ask(base, {"documents": [{"id": "new", "text": "x", **fields}]}, **own)[0] == 403
    assert server.ask(base + "/tea", **whole)[1]["metadata"] == {"owner": {"tenant": "a"}}
    assert server.ask(base + "/new", **whole)[0] == 404


def test_a_key_changes_other_fields_of_its_documents_and_nothing_of_those_of_others(
    tenants: tuple[Server, dict[str, str], dict[str, str]],
) -> None:
    server, whole, own = tenants
    base = "/v1/collections/notes/documents"
    for name, status in (("tea", 200), ("gin", 200), ("rum", 404), ("none", 404)):
        body = {"documents": [{"id": name, "title": "A drink", "body": f"Of {name}."}]}
        assert server.ask(base, body, method="PATCH", **own)[0] == status
    assert server.ask(base + "/rum", **whole)[1]["title"] == ""
    assert server.ask(base + "/gin", **whole)[1]["text"] == "Of gin."


def test_a_server_that_other_machines_reach_needs_keys(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from twofold.cli.main import main

    assert main(["serve", str(folder), "--host", "0.0.0.0", "--port", "0"]) == 1
    assert "needs API keys" in capfd.readouterr().err


def test_a_server_that_is_stopped_while_it_writes_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    folder = made(tmp_path)
    server, acknowledged = Server(folder), []

    def write(number: int) -> None:
        body = {"documents": [{"id": f"n{number}", "text": f"number {number}"}]}
        try:
            status, _ = server.ask("/v1/collections/notes/documents", body)
        except OSError:  # stopped
            return
        if status == 200:
            acknowledged.append(f"n{number}")

    with ThreadPoolExecutor(4) as clients:
        for number in range(40):
            clients.submit(write, number)
        while len(acknowledged) < 5:
            time.sleep(0.01)
        server.end()
    with twofold.open(folder) as notes:
        assert None not in notes.get(acknowledged)
