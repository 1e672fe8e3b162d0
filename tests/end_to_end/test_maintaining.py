"""Verifying, backing up and exporting from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

Twofold = Callable[..., Any]


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_whole_collection_verifies_with_status_zero(hashed: Path, twofold: Twofold) -> None:
    twofold("delete", hashed, "tea")
    done = twofold("verify", hashed)
    assert (done.status, done.err) == (0, "")
    assert "is as it was written: 8 documents (deleted ones too) and 8 vectors read" in done.out
    report = twofold("verify", hashed, "--json").json
    assert (report["clean"], report["documents"], report["rows"], report["damage"]) == (True, 8, 8, [])


def test_a_damaged_collection_verifies_with_status_one_and_names_the_documents(hashed: Path, twofold: Twofold) -> None:
    flip_last_byte(hashed / "vectors" / "main" / "000001.f16")
    done = twofold("verify", hashed)
    assert done.status == 1
    assert "000001.f16: rows 0 to 7 changed (documents compiler, moon, cell" in done.out
    assert "damaged in 1 place, 8 documents hit" in done.out
    done = twofold("verify", hashed, "--json")
    assert (done.status, done.json["clean"]) == (1, False)
    assert "law" in done.json["damage"][0]["documents"]


def test_optimizing_frees_the_disk_space_of_deleted_documents_and_changes_no_answer(
    hashed: Path, twofold: Twofold
) -> None:
    assert "has no deleted documents" in twofold("optimize", hashed).out
    twofold("delete", hashed, "tea")
    before = twofold("search", hashed, "the law of the cell", "--json").json
    done = twofold("optimize", hashed)
    assert (done.status, done.err) == (0, "")
    assert "1 deleted document and 1 passage dropped" in done.out
    assert "7 left" in done.out
    assert sorted(path.name for path in (hashed / "vectors" / "main").iterdir()) == ["000002.f16"]
    assert twofold("search", hashed, "the law of the cell", "--json").json == before
    report = twofold("verify", hashed, "--json").json
    assert (report["clean"], report["documents"], report["rows"]) == (True, 7, 7)
    again = twofold("optimize", hashed, "--json").json
    assert (again["documents"], again["rows"], again["left"], again["index"]["kind"]) == (0, 0, 7, "flat")


def test_an_index_is_built_when_it_is_asked_for_and_info_says_what_it_finds(hashed: Path, twofold: Twofold) -> None:
    assert "index: flat: every search is exact (8 passages" in twofold("optimize", hashed).out
    before = twofold("search", hashed, "the law of the cell", "--json").json
    done = twofold("optimize", hashed, "--index", "scan")
    assert (done.status, done.err) == (0, "")
    assert "index: scan over 8 passages (asked for); recall@10 1.000" in done.out
    said = twofold("info", hashed).out
    assert "titles and openings of documents" in said
    assert "flat 1.000 in " in said
    assert "; scan 1.000 in " in said
    done = twofold("optimize", hashed, "--latency", 0)
    assert (done.status, done.out) == (1, "")
    assert "latency is above 0 milliseconds" in done.err
    assert twofold("search", hashed, "the law of the cell", "--json").json == before
    assert twofold("info", hashed, "--json").json["index"]["kept"] is True
    done = twofold("optimize", hashed, "--index", "graph")
    assert (done.status, done.out) == (2, "")
    assert "invalid choice: 'graph' (choose from" in done.err
    assert all(kind in done.err for kind in ("flat", "scan", "ivf", "hnsw"))
    assert twofold("info", hashed, "--json").json["index"]["kind"] == "scan"


@pytest.mark.parametrize("lost", ["collection.json", "catalogue.sqlite", "vectors/main/000001.f16"])
def test_a_lost_file_is_said_without_a_trace(lost: str, hashed: Path, process: Twofold) -> None:
    (hashed / lost).unlink()
    done = process("verify", hashed)
    assert done.status == 1
    assert Path(lost).name in done.out + done.err
    assert "Traceback" not in done.err


def test_a_backup_answers_as_the_collection_does_and_goes_its_own_way(
    hashed: Path, tmp_path: Path, twofold: Twofold
) -> None:
    copy = tmp_path / "deep" / "copy.twofold"
    done = twofold("backup", hashed, "--to", copy)
    assert done.status == 0, done.err
    assert "holds 8 documents and 8 passages of commit 1, verified" in done.out
    asked = ("search", "hot water", "--json")
    answers = [twofold(asked[0], where, *asked[1:]).json["hits"] for where in (hashed, copy)]
    assert answers[0] == answers[1] != []
    assert twofold("delete", copy, "tea", "--json").json == {"deleted": 1, "documents": 7}
    assert twofold("info", hashed, "--json").json["documents"] == 8
    assert twofold("verify", copy).status == 0
    report = twofold("backup", copy, "--to", tmp_path / "second", "--json").json
    assert (report["documents"], report["passages"], report["commit"]) == (7, 7, 2)


def test_a_backup_to_a_folder_in_use_or_of_a_damaged_collection_is_refused(
    hashed: Path, tmp_path: Path, twofold: Twofold
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    for target in (hashed, hashed / "inside", tmp_path):
        done = twofold("backup", hashed, "--to", target)
        assert (done.status, done.out) == (1, "")
        assert str(target) in done.err
    flip_last_byte(hashed / "vectors" / "main" / "000001.f16")
    done = twofold("backup", hashed, "--to", tmp_path / "copy")
    assert done.status == 1
    assert "is damaged, so no backup was made: vectors/main/000001.f16" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert not (hashed / "inside").exists()


def test_an_export_is_read_by_numpy_faiss_and_twofold(hashed: Path, tmp_path: Path, twofold: Twofold) -> None:
    twofold("delete", hashed, "tea")
    done = twofold("export", hashed, "--to", tmp_path / "out")
    assert done.status == 0, done.err
    assert "holds 7 documents and 7 passages of commit 2, written" in done.out
    assert "vectors.faiss" in done.out
    ids = [json.loads(line)["id"] for line in (tmp_path / "out" / "passages.jsonl").read_text().splitlines()]
    index, vectors = (
        faiss.read_index(str(tmp_path / "out" / "vectors.faiss")),
        np.load(tmp_path / "out" / "vectors.npy"),
    )
    _, found = index.search(vectors[[2]].astype(np.float32), 1)
    like = twofold("search", hashed, "--like", ids[2], "--json").json
    assert ids[found[0][0]] == ids[2]
    assert len(like["hits"]) == 6
    again = twofold(
        "index", tmp_path / "out" / "documents.jsonl", "--to", tmp_path / "again",
        "--vectors", tmp_path / "out" / "vectors.npy", "--encoder", "hashed-words:64",
    )  # fmt: skip
    assert again.status == 0, again.err
    asked = ("bread and water", "--json")
    assert twofold("search", tmp_path / "again", *asked).ids == twofold("search", hashed, *asked).ids
    report = twofold("export", hashed, "--to", tmp_path / "second", "--json").json
    assert (report["documents"], report["passages"], report["folder"]) == (7, 7, str(tmp_path / "second"))
    refused = twofold("export", hashed, "--to", tmp_path / "out")
    assert (refused.status, refused.out) == (1, "")
    assert "something here already" in refused.err
