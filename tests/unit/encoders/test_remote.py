"""An encoder behind an HTTP API, against a server on this machine that answers as it is told to."""

from __future__ import annotations

import base64
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedding_server import DIMENSION, MODEL, Answer, EmbeddingServer, answer_of, data_of, refusal

import twofold
from twofold.encoders import remote, service
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import ContractError, InputError, ModelError, TwofoldError, VectorError
from twofold.reports import EncodingReport

ROWS = [("a", "red apple on a tree"), ("b", "blue plum in a bowl"), ("c", "the moon over the sea")]
SECRET = "sk-very-secret-4711"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    for name in ("OPENAI_API_KEY", "OPENAI_API_KEY_HOST", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(service, "FIRST_WAIT", 0.001)
    found = EmbeddingServer()
    yield found
    found.end()


def expected(texts: list[str]) -> Any:
    return HashedWords(DIMENSION).encode_documents(texts)


def test_texts_go_to_the_service_and_come_back_as_float32(server: EmbeddingServer) -> None:
    encoder = server.encoder()
    vectors = encoder.encode_documents(["red apple", "plum"])
    np.testing.assert_array_equal(vectors, expected(["red apple", "plum"]))
    assert vectors.dtype == np.float32
    assert server.requests == [
        {
            "path": "/v1/embeddings",
            "model": MODEL,
            "input": ["red apple", "plum"],
            "encoding_format": "float",
            "dimensions": DIMENSION,
        }
    ]
    assert encoder.encode_queries([]).shape == (0, DIMENSION)
    assert len(server.requests) == 1


def test_the_dimension_is_asked_for_once_where_it_is_not_given(server: EmbeddingServer) -> None:
    encoder = server.encoder(dimensions=None)
    assert not server.requests
    assert encoder.contract.dimension == DIMENSION
    assert encoder.contract.similarity == "cosine"
    assert encoder.contract == encoder.contract
    assert len(server.requests) == 1
    assert "dimensions" not in server.requests[0]


@pytest.mark.parametrize("form", ["shuffled", "base64", "without index", "whole numbers"])
def test_every_form_of_an_answer_gives_the_vectors_in_the_order_of_the_texts(
    server: EmbeddingServer, form: str
) -> None:
    def answer(asked: dict[str, Any]) -> Answer:
        data = data_of(asked)
        for each in data:
            if form == "base64":
                each["embedding"] = base64.b64encode(np.array(each["embedding"], "<f4").tobytes()).decode()
            if form == "without index":
                del each["index"]
            if form == "whole numbers":
                each["embedding"] = [each["index"] + 1] * DIMENSION
        return answer_of(data[::-1] if form == "shuffled" else data)

    server.otherwise = answer
    texts = [f"text {number}" for number in range(7)]
    found = server.encoder().encode_documents(texts)
    if form == "whole numbers":
        np.testing.assert_array_equal(found[:, 0], np.arange(1, 8))
    else:
        np.testing.assert_array_equal(found, expected(texts))


def test_many_texts_go_in_batches_of_few_texts_and_few_characters(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"text {number}" for number in range(10)]
    np.testing.assert_array_equal(server.encoder(batch=4).encode_documents(texts), expected(texts))
    assert [len(each["input"]) for each in server.requests] == [4, 4, 2]
    server.requests.clear()
    monkeypatch.setattr(remote, "CHARACTERS", 10)
    texts = ["four", "four", "seven77", "longer than ten", "four"]
    np.testing.assert_array_equal(server.encoder().encode_documents(texts), expected(texts))
    assert [each["input"] for each in server.requests] == [texts[:2], texts[2:3], texts[3:4], texts[4:]]


def test_prefixes_are_put_before_texts_and_are_in_the_contract(server: EmbeddingServer) -> None:
    encoder = server.encoder(query_prefix="query: ", document_prefix="passage: ")
    encoder.encode_queries(["a"])
    encoder.encode_documents(["a"])
    assert [each["input"] for each in server.requests] == [["query: a"], ["passage: a"]]
    assert (encoder.contract.query_prompt, encoder.contract.document_prompt) == ("query: ", "passage: ")


def test_texts_tokens_and_lone_surrogates_are_counted(server: EmbeddingServer) -> None:
    server.otherwise = lambda asked: answer_of(data_of(asked), usage={"prompt_tokens": 5, "total_tokens": 5})
    report = EncodingReport()
    server.encoder(batch=2).encode_documents(["a\ud800", "b", "c"], report=report)
    assert (report.texts, report.tokens, report.surrogates) == (3, 10, 1)
    assert server.requests[0]["input"] == ["a\ufffd", "b"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again(server: EmbeddingServer, status: int, caplog: pytest.LogCaptureFixture) -> None:
    server.answers = [refusal(status, "busy", Retry_After="0"), refusal(status, "busy")]
    with caplog.at_level(logging.WARNING, logger="twofold"):
        np.testing.assert_array_equal(server.encoder().encode_documents(["a"]), expected(["a"]))
    assert len(server.requests) == 3
    assert caplog.text.count("failed and is repeated") == 2


def test_a_service_that_stays_broken_is_an_error_with_its_message(server: EmbeddingServer) -> None:
    server.answers += [refusal(500, "out of memory")] * 3
    with pytest.raises(ModelError, match=r"answered 500 .*: out of memory; it was tried 3 times"):
        server.encoder(retries=2).encode_documents(["a"])
    assert len(server.requests) == 3
    server.answers = [refusal(500)]
    with pytest.raises(ModelError, match="tried once"):
        server.encoder(retries=0).encode_documents(["a"])


def test_waits_double_unless_the_service_asks_for_others(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(service, "FIRST_WAIT", 8.0)
    server.answers += [refusal(429)] * 3
    server.answers += [refusal(429, Retry_After="7.5")]
    server.answers += [refusal(429, Retry_After=format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True))]
    server.answers += [refusal(429, Retry_After="soon")]
    server.encoder(retries=6).encode_documents(["a"])
    assert [4 <= waits[0] <= 8, 8 <= waits[1] <= 16, 15 <= waits[2] <= 30] == [True] * 3
    assert waits[3:5] == [7.5, 0]
    assert 15 <= waits[5] <= 30
    server.answers = [refusal(429, Retry_After="86400")]
    with pytest.raises(ModelError, match=r"asks to wait 86,400 seconds"):
        server.encoder().encode_documents(["a"])


def test_a_service_that_hangs_is_asked_again_after_the_timeout(server: EmbeddingServer) -> None:
    def hang(asked: dict[str, Any]) -> Answer:
        server.ended.wait(20)
        return answer_of(data_of(asked))

    server.answers = [hang]
    np.testing.assert_array_equal(server.encoder(timeout=0.3).encode_documents(["a"]), expected(["a"]))
    server.answers = [hang, hang]
    with pytest.raises(ModelError, match=r"did not answer within 0\.3 seconds; it was tried 2 times"):
        server.encoder(timeout=0.3, retries=1).encode_documents(["a"])


def test_a_service_that_is_not_there_is_an_error(server: EmbeddingServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelError, match=r"cannot be reached: .*; it was tried 2 times"):
        twofold.ApiEncoder(url, MODEL, retries=1).encode_queries(["a"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            refusal(401, "who are you"),
            r"answered 401 .*who are you\. No key was sent; put it into the .* OPENAI_API_KEY",
        ),
        (refusal(404, "no model words-16"), r"404 .*no model words-16\. Is this the address before /embeddings"),
        (refusal(400, "too long"), r"400 .*too long\. Does the model take texts this long"),
        ((418, {}, b"<html>teapot</html>"), r"418 .*<html>teapot</html>"),
        ((307, {"Location": "http://127.0.0.1:9/"}, b""), r"307 .*Redirects are not followed"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), r"302 .*Redirects are not followed"),
        ((200, {}, b'{"data": [{"ind'), r"answered what is no JSON object: '\{\"data\""),
        ((200, {}, b"\xff\xfe"), r"no JSON object"),
        ((200, {}, b"[1]"), r"no JSON object"),
        ((200, {}, b"[" * 100_000), r"no JSON object"),
        ((200, {}, b'{"embeddings": []}'), r"answered without a list of embeddings under data"),
        ((200, {}, b'{"data": [1]}'), r"answered without a list of embeddings under data"),
    ],
)
def test_what_a_service_refuses_is_not_asked_again(server: EmbeddingServer, answer: Answer, said: str) -> None:
    server.answers = [answer]
    with pytest.raises(ModelError, match=said):
        server.encoder().encode_documents(["a"])
    assert len(server.requests) == 1


def with_all(embedding: Any) -> Callable[[dict[str, Any]], Answer]:
    return lambda asked: answer_of([{**each, "embedding": embedding} for each in data_of(asked)])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked: answer_of(data_of(asked)[:-1]), r"returned 2 vectors for 3 texts; none is used"),
        (lambda asked: answer_of(data_of(asked) * 2), r"returned 6 vectors for 3 texts"),
        (lambda asked: answer_of([{**each, "index": 0} for each in data_of(asked)]), r"index \[0, 0, 0\] for 3 texts"),
        (lambda asked: answer_of([{**each, "index": "x"} for each in data_of(asked)]), r"index \['x'"),
        (lambda asked: answer_of(data_of({**asked, "dimensions": 8})), r"the shape \(3, 8\), and float32 \(3, 16\)"),
        (lambda asked: answer_of([*data_of(asked)[1:], {"index": 0, "embedding": [1.0]}]), r"of 1 and 16 numbers"),
        (with_all([float("nan")] * DIMENSION), r"NaN or infinity for 3 of 3 texts"),
        (with_all([1e300] * DIMENSION), r"NaN or infinity"),
        (with_all(["1"] * DIMENSION), r"in place of a list of numbers"),
        (with_all([[1.0]] * DIMENSION), r"in place of a list of numbers"),
        (with_all([[1.0], []]), r"in place of a list of numbers"),
        (with_all(None), r"returned None in place of a list of numbers"),
        (with_all([]), r"returned \[\] in place of a list of numbers"),
        (with_all("no base64!"), r"in place of a list of numbers"),
        (with_all("AAA="), r"in place of a list of numbers"),
    ],
)
def test_vectors_that_do_not_fit_are_refused_and_counted_nowhere(
    server: EmbeddingServer, answer: Callable[[dict[str, Any]], Answer], said: str
) -> None:
    server.answers = [lambda asked: answer_of(data_of(asked)), answer]  # the first batch is right
    report = EncodingReport()
    with pytest.raises(VectorError, match=said):
        server.encoder(batch=3).encode_documents(["a", "b", "c", "d", "e", "f"], report=report)
    assert report == EncodingReport()


def test_the_key_is_sent_and_is_in_no_file_no_message_and_no_log(
    server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", f" {SECRET}\n")
    caplog.set_level(logging.DEBUG)
    encoder = server.encoder(key_from="MY_KEY")
    server.answers = [refusal(500, f"bad {SECRET}")]
    with twofold.create(tmp_path / "c", encoder) as collection:
        collection.add(ROWS)
        assert "MY_KEY" in json.dumps(collection.info().to_json())
    assert set(server.keys) == {f"Bearer {SECRET}"}
    files = [file for file in (tmp_path / "c").rglob("*") if file.is_file()]
    assert any(b"MY_KEY" in file.read_bytes() for file in files)
    assert not any(SECRET.encode() in file.read_bytes() for file in files)
    for answer in (refusal(401, f"{SECRET} is wrong"), (200, {}, SECRET.encode()), refusal(401, SECRET)):
        server.answers = [answer]
        with pytest.raises(ModelError) as caught:
            encoder.encode_queries(["a"])
        assert SECRET not in str(caught.value)
    assert "Is the key in the environment variable MY_KEY right?" in str(caught.value)
    assert SECRET not in caplog.text
    assert SECRET not in repr(vars(encoder))


@pytest.mark.parametrize("key", ["two words", "new\nline", "ключ"])
def test_a_key_that_is_none_is_refused_without_being_shown(
    server: EmbeddingServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(InputError, match="OPENAI_API_KEY holds spaces or characters that no key has") as caught:
        server.encoder().encode_queries(["a"])
    assert key not in str(caught.value)
    assert not server.requests


def test_a_collection_is_opened_again_without_naming_the_encoder(server: EmbeddingServer, tmp_path: Path) -> None:
    encoder = server.encoder(dimensions=None, query_prefix="q ", document_prefix="d ", batch=2)
    with twofold.create(tmp_path / "c", encoder) as collection:
        collection.add(ROWS)
    server.requests.clear()
    with twofold.open(tmp_path / "c") as collection:
        assert MODEL in repr(collection)
        assert collection.info().to_json()["encoder"]["url"] == server.url
        assert not server.requests, "opening asks nothing"
        assert collection.search("moon over the sea", mode="dense")[0].id == "c"
        asked = [text for each in server.requests for text in each["input"]]
        assert asked[-1] == "q moon over the sea"
        assert len(asked) == 9, "the probes of the query side, once"
        assert max(len(each["input"]) for each in server.requests) == 2
        collection.search("apple", mode="dense")
        assert len(server.requests) == 6
        collection.add([("d", "green pear")])
        assert server.requests[-1]["input"] == ["d green pear"]


def test_a_service_that_moved_or_makes_other_vectors_is_told_apart(server: EmbeddingServer, tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", server.encoder()) as collection:
        collection.add(ROWS)
    moved = EmbeddingServer()
    try:
        with twofold.open(tmp_path / "c", moved.encoder()) as collection:
            assert collection.search("red apple on a tree", mode="dense")[0].id == "a"
        moved.otherwise = lambda asked: answer_of(
            [{**each, "embedding": each["embedding"][::-1]} for each in data_of(asked)]
        )
        with (
            twofold.open(tmp_path / "c", moved.encoder()) as collection,
            pytest.raises(ContractError, match="query side of the vector space"),
        ):
            collection.search("apple", mode="dense")
    finally:
        moved.end()
    for other in (twofold.ApiEncoder(server.url, "other", dimensions=DIMENSION), server.encoder(query_prefix="q ")):
        with pytest.raises(ContractError, match=r"weights|query prompt"):
            twofold.open(tmp_path / "c", other)


def test_a_migration_to_the_same_model_at_another_address_stores_the_address(
    server: EmbeddingServer, tmp_path: Path
) -> None:
    moved = EmbeddingServer()
    try:
        with twofold.create(tmp_path / "c", server.encoder()) as collection:
            collection.add(ROWS)
            report = collection.migrate(moved.encoder(key_from="", batch=5))
            assert (report.moved, report.documents) == (True, 0)
        server.requests.clear()
        with twofold.open(tmp_path / "c") as collection:
            assert collection.search("red apple on a tree", mode="dense")[0].id == "a"
            stored = collection.info().to_json()["encoder"]
            assert (stored["url"], stored["key_from"], stored["batch"]) == (moved.url, "", 5)
        assert not server.requests
    finally:
        moved.end()


def test_a_stored_address_gets_the_key_only_where_the_environment_names_its_host(
    server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twofold.create(tmp_path / "c", server.encoder()).close()
    server.keys.clear()
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    for host in (None, "api.openai.com", "127.0.0.1"):
        if host:
            monkeypatch.setenv("OPENAI_API_KEY_HOST", host)
        with (
            twofold.open(tmp_path / "c") as collection,
            pytest.raises(ModelError, match=rf"is not sent there.*OPENAI_API_KEY_HOST={server.host}.*ApiEncoder"),
        ):
            collection.add(ROWS)
    assert not server.keys
    monkeypatch.setenv("OPENAI_API_KEY_HOST", server.host)
    with twofold.open(tmp_path / "c") as collection:
        collection.add(ROWS)
    monkeypatch.delenv("OPENAI_API_KEY_HOST")
    with twofold.open(tmp_path / "c", server.encoder()) as collection:
        collection.search("apple", mode="dense")
    assert set(server.keys) == {f"Bearer {SECRET}"}


def test_the_key_of_openai_goes_to_openai_without_being_told() -> None:
    assert service.is_key_for("OPENAI_API_KEY", "https://api.openai.com/v1")
    for key_from, url in (
        ("OPENAI_API_KEY", "http://api.openai.com/v1"),
        ("OPENAI_API_KEY", "https://api.openai.com:8443/v1"),
        ("OPENAI_API_KEY", "https://api.openai.com.example.org/v1"),
        ("MY_KEY", "https://api.openai.com/v1"),
        ("MY_KEY", "https://example.org/v1"),
    ):
        assert not service.is_key_for(key_from, url)


def test_nothing_is_made_where_the_service_cannot_encode(server: EmbeddingServer, tmp_path: Path) -> None:
    server.answers = [refusal(401)]
    with pytest.raises(ModelError, match="401"):
        twofold.create(tmp_path / "c", server.encoder(dimensions=None))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "api.openai.com/v1"}, "url is an address such as"),
        ({"url": "file:///etc/passwd"}, "url is an address such as"),
        ({"url": "https://"}, "url is an address such as"),
        ({"url": "https://host:port/v1"}, "url is an address such as"),
        ({"url": "https://host/a b"}, "url is an address such as"),
        ({"url": 7}, "url is an address such as"),
        ({"url": "https://user:password@host/v1"}, "it takes no user, password"),
        ({"url": "https://host/v1?key=1"}, r"it takes no user, password, \? or #"),
        ({"model": ""}, "model is the name of a model"),
        ({"model": None}, "model is the name of a model"),
        ({"dimensions": 0}, "dimensions must be a whole number of at least 1"),
        ({"batch": True}, "batch must be a whole number"),
        ({"query_prefix": None}, "query_prefix is a text"),
        ({"key_from": SECRET}, "the name of an environment variable that holds the key, not the key itself"),
        ({"timeout": 0}, "timeout must be above 0"),
        ({"timeout": float("nan")}, "timeout must be a number"),
        ({"retries": -1}, "retries must be a number of at least 0"),
        ({"retries": 1.5}, "retries must be a number"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(settings: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"url": "https://host/v1", "model": MODEL, **settings}
    with pytest.raises(InputError, match=said) as caught:
        twofold.ApiEncoder(given.pop("url"), given.pop("model"), **given)
    assert SECRET not in str(caught.value)
    assert issubclass(InputError, TwofoldError)
