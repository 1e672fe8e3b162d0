"""Encoders behind an HTTP API on the command line, against a server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from embedding_server import MODEL, EmbeddingServer, refusal

Twofold = Callable[..., Any]
KEY = "sk-secret-4711"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    for name in ("OPENAI_API_KEY_HOST", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = EmbeddingServer()
    yield found
    found.end()


def test_a_collection_is_made_and_searched_by_a_service(
    tmp_path: Path, server: EmbeddingServer, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": word, "text": f"the {word} here"}) + "\n" for word in ("sun", "moon")))
    named = ("--encoder", f"api:{server.url}#{MODEL}")
    made = twofold("index", rows, "--to", tmp_path / "c", *named)
    assert made.status == 0, made.err
    assert set(server.keys) == {f"Bearer {KEY}"}
    found = twofold("search", tmp_path / "c", "the moon here", "--mode", "dense", *named, "--json")
    assert found.json["hits"][0]["id"] == "moon"
    assert MODEL in twofold("info", tmp_path / "c").out
    refused = twofold("search", tmp_path / "c", "the moon here", "--mode", "dense")
    assert refused.status == 1
    assert f"OPENAI_API_KEY_HOST={server.host}" in refused.err
    assert KEY not in refused.err
    monkeypatch.setenv("OPENAI_API_KEY_HOST", server.host)
    assert twofold("search", tmp_path / "c", "the moon here", "--mode", "dense").status == 0


def test_what_a_service_refuses_is_an_error_in_words(tmp_path: Path, server: EmbeddingServer, twofold: Twofold) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a", "text": "one"}\n')
    server.answers = [refusal(401, f"{KEY} is wrong")]
    for name, said in (
        (f"api:{server.url}#{MODEL}", "answered 401 Unauthorized: … is wrong. Is the key in the environment variable"),
        (f"api:{server.url}", "the model is missing; write api:https://api.openai.com/v1#MODEL"),
        ("api:nowhere#m", "url is an address such as https://api.openai.com/v1"),
    ):
        done = twofold("index", rows, "--to", tmp_path / "c", "--encoder", name)
        assert done.status == 1
        assert said in done.err
        assert "Traceback" not in done.err
        assert not (tmp_path / "c").exists()
