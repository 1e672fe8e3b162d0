"""What commands say on standard error while they work: lines of progress, --quiet and --verbose."""

from __future__ import annotations

import json
import logging
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twofold import progress

Twofold = Callable[..., Any]
WORDS = ("--encoder", "hashed-words:64")
SECRET = "unspeakable"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": f"{SECRET} text {n}"}) + "\n" for n in range(300)))
    return path


@pytest.fixture
def collection(corpus: Path, tmp_path: Path, twofold: Twofold) -> Path:
    path = tmp_path / "my articles.twofold"
    assert twofold("index", corpus, "--to", path, *WORDS).status == 0
    return path


def judged(folder: Path) -> tuple[Path, Path]:
    queries, qrels = folder / "queries.jsonl", folder / "qrels.trec"
    queries.write_text('{"id": "q", "text": "text 7"}\n{"id": "r", "text": "text 8"}\n')
    qrels.write_text("q 0 d7 1\nr 0 d8 1\n")
    return queries, qrels


def commands(corpus: Path, collection: Path, folder: Path) -> dict[str, tuple[tuple[Any, ...], str]]:
    """Every command whose work may take long, and the line that it prints then."""
    queries, qrels = judged(folder)
    changes = folder / "changes.jsonl"
    changes.write_text("".join(json.dumps({"id": f"d{n % 9}", "text": f"changed {n}"}) + "\n" for n in range(300)))
    copy, vectors, run = folder / "copy.twofold", folder / "x.npy", folder / "run.trec"
    return {
        "index": (("index", corpus, "--to", folder / "new.twofold", *WORDS), "Indexing: 256 of 300 documents"),
        "add": (("add", collection, corpus), "Indexing: 256 of 300 documents"),
        "update": (("update", collection, changes), "Updating: 256 documents"),
        "encode": (("encode", corpus, "--to", vectors, *WORDS), "Encoding: 300 of 300 texts"),
        "tune": (("tune", collection, "--analyser", "plain"), "Building the lexical index: 299 documents"),
        "optimize": (("optimize", collection), "Compacting: "),
        "verify": (("verify", collection), "Verifying: "),
        "backup": (("backup", collection, "--to", copy), "Copying and verifying: "),
        "export": (("export", collection, "--to", folder / "files"), "Exporting: "),
        "migrate": (("migrate", collection, "--encoder", "hashed-words:32"), "Encoding: 256 of 299 documents"),
        "search": (("search", collection, "--queries", queries, "--run", run), "Searching: 2 of 2 queries"),
        "evaluate": (
            ("evaluate", collection, "--queries", queries, "--qrels", qrels, "--timed", 1),
            "Searching, dense: 2 of 2 queries",
        ),
    }


SHORT = ["index", "add", "update", "encode", "tune", "verify", "backup", "export"]


@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_said_of_work_that_ends_soon(
    twofold: Twofold, corpus: Path, collection: Path, tmp_path: Path, name: str
) -> None:
    words, _ = commands(corpus, collection, tmp_path)[name]
    done = twofold(*words)
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("name", [*SHORT, "optimize", "migrate", "search", "evaluate"])
def test_where_there_is_no_terminal_long_work_prints_a_line_from_time_to_time(
    twofold: Twofold, corpus: Path, collection: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    assert twofold("delete", collection, "d9").status == 0
    words, line = commands(corpus, collection, tmp_path)[name]
    done = twofold(*words, "--json")
    assert done.status == 0, done.err
    assert line in done.err
    assert "\r" not in done.err
    assert done.json is not None


def test_quiet_leaves_out_progress_and_notes_but_neither_results_nor_errors(
    twofold: Twofold, corpus: Path, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    for words in (("add", collection, corpus), ("migrate", collection, "--encoder", "hashed-words:32")):
        loud, quiet = twofold(*words), twofold(*words, "-q")
        assert loud.err
        assert (quiet.status, quiet.err) == (0, "")
        assert quiet.out
    assert twofold("search", collection, "text", "--where", '{"year": 1}', "--quiet").err == ""
    assert "nothing found" in twofold("search", collection, "text", "--where", '{"year": 1}').err  # not kept for later
    refused = twofold("add", collection, tmp_path / "missing.jsonl", "--quiet")
    assert refused.status == 1
    assert refused.err.startswith("twofold: error: ")


def test_verbose_prints_what_changed_and_twice_every_commit(twofold: Twofold, corpus: Path, tmp_path: Path) -> None:
    said, before = {}, logging.getLogger("twofold").level
    for option in ("-v", "-vv"):
        path = tmp_path / f"{option}.twofold"
        done = twofold("index", corpus, "--to", path, *WORDS, option)
        assert done.status == 0
        said[option] = done.err
        assert f"created {path}" in done.err
        assert SECRET not in done.err
    assert "commit " not in said["-v"]
    assert re.search(r"DEBUG twofold\.engines\.local\.writer: .*: commit \d+ added 256 documents", said["-vv"])
    assert logging.getLogger("twofold").level == before  # as a program that uses the library has set it


def test_quiet_and_verbose_exclude_each_other_and_are_taken_behind_the_name_of_a_measurement(twofold: Twofold) -> None:
    assert twofold("info", "x.twofold", "-q", "-v").status == 2
    done = twofold("bench", "startup", "--rounds", 1, "--json", "-q")
    assert (done.status, done.err) == (0, "")


def test_a_command_that_an_error_proposes_runs_as_it_is_printed(twofold: Twofold, collection: Path) -> None:
    refused = twofold("search", collection, "text", "--mode", "lexical")
    assert refused.status == 1
    (proposed,) = re.findall(r"`(twofold [^`]*)`", refused.err)
    assert twofold(*shlex.split(proposed)[1:]).status == 0
    assert twofold("search", collection, "text", "--mode", "lexical").status == 0
