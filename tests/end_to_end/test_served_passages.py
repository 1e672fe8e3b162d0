"""Passages of a document, over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')

from served import served

import twofold
from twofold.encoders.hashed_words import HashedWords
from twofold.serving.access import new_key

TEXT = (
    "# Tea\n\n"
    + "Green tea is steeped at eighty degrees, and never longer than three minutes. " * 3
    + "\fMilk of cows is white, and is drunk cold or warm, with honey or without it, in the morning."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("passages") / "notes.twofold"
    with twofold.create(path, HashedWords(64), passages={"tokens": 16, "overlap": 4}) as notes:
        notes.add([{"id": "tea", "text": TEXT, "tenant": "a"}, {"id": "none", "text": "", "tenant": "a"}])
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


def asked(url: str, body: object, key: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{url}/v1/collections/notes/passages", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_all_passages_come_in_order_with_what_they_stand_under(url: str, folder: Path) -> None:
    status, found = asked(url, {"id": "tea"})
    with twofold.open(folder) as notes:
        count = len(notes.vectors(["tea"])["tea"])
    passages = found["passages"]
    assert (status, found["count"], len(passages)) == (200, count, count)
    assert count > 2
    assert [each["start"] for each in passages] == sorted(each["start"] for each in passages)
    assert all(TEXT[each["start"] : each["end"]] == each["text"] for each in passages)
    assert (passages[0]["headings"], passages[0]["page"], passages[-1]["page"]) == (["Tea"], 1, 2)


def test_a_part_of_them_is_asked_for_by_limit_and_offset(url: str) -> None:
    whole = asked(url, {"id": "tea"})[1]["passages"]
    part = asked(url, {"id": "tea", "limit": 2, "offset": 1})[1]
    assert (part["passages"], part["count"]) == (whole[1:3], len(whole))
    assert asked(url, {"id": "tea", "limit": 5_000})[0] == 413


def test_a_document_without_a_text_has_none_and_one_that_is_not_there_is_not_found(url: str) -> None:
    assert asked(url, {"id": "none"}) == (200, {"passages": [], "count": 0})
    status, told = asked(url, {"id": "missing"})
    assert (status, told["error"]["code"]) == (404, "NoDocumentError")


def test_a_key_sees_the_passages_of_its_own_documents_alone(folder: Path, tmp_path: Path) -> None:
    lines, given = [], {}
    for tenant in ("a", "b"):
        given[tenant], digest = new_key()
        lines.append(json.dumps({"name": tenant, "sha256": digest, "scopes": ["read"], "where": {"tenant": tenant}}))
    keys = tmp_path / "keys.jsonl"
    keys.write_text("\n".join(lines))
    with served(folder, keys=str(keys)) as url:
        assert asked(url, {"id": "tea"}, given["a"])[0] == 200
        assert asked(url, {"id": "tea"}, given["b"])[0] == 404
