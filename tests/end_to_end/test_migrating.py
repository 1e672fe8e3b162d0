"""Migrating a collection from the command line: fill, compare, switch, go back, drop."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twofold.models.locating import find_model

Twofold = Callable[..., Any]
NEW = ("--encoder", "hashed-words:512")


def test_a_collection_is_migrated_compared_switched_and_switched_back(
    hashed: Path, twofold: Twofold, tmp_path: Path
) -> None:
    queries, qrels = tmp_path / "q.jsonl", tmp_path / "q.tsv"
    texts = {"q1": "first compiler", "q2": "largest animal"}
    queries.write_text("".join(json.dumps({"_id": key, "text": text}) + "\n" for key, text in texts.items()))
    qrels.write_text("query-id\tcorpus-id\tscore\nq1\tcompiler\t1\nq2\twhale\t1\n")
    before = twofold("search", hashed, "first compiler", "--json").json["hits"]
    done = twofold("migrate", hashed, *NEW, "--queries", queries, "--qrels", qrels)
    assert done.status == 0
    assert "space space-2: 8 documents to encode, about 8 passages" in done.err
    assert "space space-2: 8 documents encoded, complete" in done.out
    assert "nDCG@10" in done.out
    assert "searches use the space main" in done.out
    assert twofold("search", hashed, "first compiler", "--json").json["hits"] == before
    report = twofold("migrate", hashed, *NEW, "--switch", "--json").json
    assert (report["documents"], report["switched"], report["searched"]) == (0, True, "space-2")
    spaces = twofold("info", hashed, "--json").json["spaces"]
    assert [(each["name"], each["searched"], each["complete"]) for each in spaces] == [
        ("main", False, True),
        ("space-2", True, True),
    ]
    assert "space-2 (searched): 8 documents" in twofold("info", hashed).out
    assert twofold("search", hashed, "first compiler", "--json").json["hits"][0]["score"] != before[0]["score"]
    assert twofold("migrate", hashed, "--switch", "--name", "main", "--drop", "space-2").status == 0
    assert twofold("search", hashed, "first compiler", "--json").json["hits"] == before
    assert sorted(path.name for path in (hashed / "vectors").iterdir()) == ["main"]
    assert twofold("verify", hashed).status == 0


def test_what_cannot_be_done_is_said_with_the_right_status(hashed: Path, twofold: Twofold, tmp_path: Path) -> None:
    for words, status, said in (
        ((), 2, "nothing to do"),
        (("--switch",), 2, "nothing to do"),
        ((*NEW, "--qrels", tmp_path / "q.tsv"), 2, "--qrels goes with --queries"),
        (("--switch", "--name", "nowhere"), 1, "there is no space 'nowhere'; there are main"),
        (("--drop", "main"), 1, "is the space that is searched"),
        ((*NEW, "--name", "A b"), 1, "a space is named by"),
    ):
        done = twofold("migrate", hashed, *words)
        assert (done.status, said in done.err) == (status, True), done.err
    assert len(twofold("info", hashed, "--json").json["spaces"]) == 1


def test_a_model_that_moved_is_given_anew_and_its_place_stored_by_the_command_that_is_printed(
    articles: Path, tmp_path: Path, twofold: Twofold, process: Twofold
) -> None:
    old, new, kept = tmp_path / "old", tmp_path / "the new place", tmp_path / "kept.twofold"
    shutil.copytree(find_model(None).folder, old)
    assert twofold("index", articles, "--encoder", old, "--to", kept).status == 0
    old.rename(new)
    asked = ("search", kept, "who wrote the first compiler?", "--mode", "dense", "--json")
    assert f"`twofold migrate {kept} --encoder FOLDER`" in " ".join(twofold(*asked).err.split())
    assert "which is not there: give its place" in " ".join(twofold("info", kept).out.split())
    found = twofold(*asked, "--encoder", new)
    assert found.ids[0] == "compiler"
    assert twofold(*asked).status == 1  # a search stores nothing
    printed = found.err.strip().rpartition("to store its place: ")[2].strip("`")
    assert shlex.split(printed)[0] == "twofold"
    stored = process(*shlex.split(printed)[1:])
    assert f"its encoder is loaded from {new} from now on" in stored.out, stored.err
    again = twofold(*asked)
    assert (again.ids, again.err) == (found.ids, "")
    new.rename(tmp_path / "third")
    assert twofold("add", kept, articles, "--encoder", tmp_path / "third").status == 0
    assert twofold(*asked).ids == found.ids
