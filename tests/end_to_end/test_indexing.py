"""Putting documents in and taking them out from the command line: everything is counted, nothing is done twice."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.opening import open_collection
from twofold.engines.local.derived.indexes import choosing as indexing
from twofold.engines.local.spaces import indexed
from twofold.errors import NotACollectionError
from twofold.indexes.kinds import KINDS

Twofold = Callable[..., Any]
WORDS = ("--encoder", "hashed-words:64")


def test_indexing_again_encodes_nothing(hashed: Path, articles: Path, twofold: Twofold) -> None:
    again = twofold("index", articles, "--to", hashed, "--json").json
    assert (again["unchanged"], again["added"], again["replaced"], again["passages"]) == (8, 0, 0, 0)
    assert again["documents"] == 8


def test_indexing_never_deletes_and_replaces_what_changed(hashed: Path, tmp_path: Path, twofold: Twofold) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "tea", "text": "Coffee after all."}\n{"id": "new", "text": "Something new."}\n')
    report = twofold("add", hashed, more, "--json").json
    assert (report["added"], report["replaced"], report["documents"]) == (1, 1, 9)
    assert twofold("search", hashed, "coffee", "--k", 1, "--json").json["hits"][0]["text"] == "Coffee after all."


def test_passages_of_a_size_end_where_paragraphs_do(tmp_path: Path, twofold: Twofold) -> None:
    paragraphs = [" ".join(f"{name}{n}" for n in range(20)) + ".\n\n" for name in "abc"]
    data, kept = tmp_path / "long.jsonl", tmp_path / "c"
    data.write_text(json.dumps({"id": 1, "text": "".join(paragraphs)}) + "\n")
    sizes = ("--passage-tokens", 24, "--passage-overlap", 0)
    assert twofold("index", data, "--to", kept, *WORDS, *sizes, "--json").json["passages"] == 3
    (hit,) = twofold("search", kept, "b3 b4", "--mode", "dense", "--json").json["hits"]
    assert hit["text"] == paragraphs[1]
    assert "passages of up to 24 tokens, 0 of them repeated" in twofold("info", kept).out
    assert twofold("index", data, "--to", kept, *sizes, "--json").json["unchanged"] == 1
    other = twofold("index", data, "--to", kept, "--passage-tokens", 30)
    assert (other.status, "passages={'tokens': 24, 'overlap': 0}" in other.err) == (1, True)


def test_two_ways_to_divide_documents_are_wrong_usage(articles: Path, tmp_path: Path, twofold: Twofold) -> None:
    for words, said in (
        (("--passage-tokens", 30, "--passages", "none"), "give one of them"),
        (("--passage-overlap", 3), "goes with --passage-tokens"),
    ):
        done = twofold("index", articles, "--to", tmp_path / "c", *WORDS, *words)
        assert (done.status, said in done.err) == (2, True)
    done = twofold("index", articles, "--to", tmp_path / "c", *WORDS, "--passage-tokens", 3)
    assert (done.status, "a count from 8 on, not 3" in done.err) == (1, True)
    assert not (tmp_path / "c").exists()


def test_the_summary_says_everything_that_was_counted(tmp_path: Path, twofold: Twofold) -> None:
    data = tmp_path / "odd.jsonl"
    data.write_text(
        '{"id": 1, "text": "one"}\n{"id": 1, "text": "one again"}\nnonsense\n'
        '{"id": 2, "title": "a title only", "text": ""}\n{"id": 3, "text": "  "}\n'
        + json.dumps({"id": 4, "text": "word " * 1000}) + "\n"
    )  # fmt: skip
    done = twofold("index", data, "--to", tmp_path / "c", "--skip-bad", "--passages", "none", *WORDS)
    assert done.status == 0, done.err
    for said in (
        "4 documents: 4 added", "1 bad record skipped", "odd.jsonl, line 3", "1 duplicate id: the last one is stored",
        "1 document without text: the title", "1 document without text and title", "1 document truncated", "$truncated",
    ):  # fmt: skip
        assert said in done.out
    assert twofold("search", tmp_path / "c", "word", "--where", '{"$truncated": true}', "--json").ids == ["4"]


def test_standard_input_and_several_files_are_data(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    csv = tmp_path / "books.csv"
    csv.write_text('isbn,summary,year\n978,"Tea, and how to make it",1990\n')
    taken = ("--id", "isbn", "--text", "summary", "--types", "year=int")
    assert twofold("index", csv, "--to", tmp_path / "c", *taken, *WORDS).status == 0
    done = twofold("add", tmp_path / "c", "-", articles, "--json", stdin='{"id": "piped", "text": "through a pipe"}\n')
    assert done.json["documents"] == 10
    assert twofold("search", tmp_path / "c", "tea", "--where", '{"year": {"$lt": 1991}}', "--k", 1, "--json").ids == [
        "978"
    ]


def test_own_vectors_are_stored_and_searched_by_example(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    vectors = np.random.default_rng(7).standard_normal((8, 5)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    done = twofold("index", articles, "--to", tmp_path / "c", "--vectors", tmp_path / "v.npy")
    assert done.status == 0, done.err
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [json.loads(line)["_id"] for line in articles.read_text().splitlines()]
    order = [ids[n] for n in np.argsort(-(unit @ unit[0]), kind="stable") if n != 0]
    assert twofold("search", tmp_path / "c", "--like", ids[0], "--json").ids[:3] == order[:3]
    asked = twofold("search", tmp_path / "c", "a question about the compiler", "--json")
    assert (asked.status, asked.ids) == (0, ["compiler"])
    assert "hybrid search needs --vector FILE" in asked.err


def test_deleting_by_id_and_by_filter_says_how_many(hashed: Path, twofold: Twofold) -> None:
    done = twofold("delete", hashed, "tea", "bread", "never-there")
    assert done.out.startswith("2 documents deleted, 6 left")
    assert twofold("delete", hashed, "--where", '{"year": {"$lt": 1900}}', "--json").json == {
        "deleted": 2, "documents": 4,
    }  # fmt: skip
    assert {"tea", "bread", "cell", "tokyo"} & set(twofold("search", hashed, "tea", "--json").ids) == set()


def test_info_says_what_is_in_there(hashed: Path, twofold: Twofold) -> None:
    facts = twofold("info", hashed, "--json").json
    assert (facts["documents"], facts["passages"], facts["contract"]["dimension"]) == (8, 8, 64)
    shown = twofold("info", hashed).out
    assert re.search(r"^documents +8 ", shown, re.MULTILINE)
    assert "64" in shown


def heeds_ctrl_c() -> None:
    """A shell starts what runs in the background deaf to Ctrl-C, and these tests may be there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_keeps_what_was_acknowledged_and_the_same_command_goes_on(tmp_path: Path, twofold: Twofold) -> None:
    lines = [f'{{"id": {n}, "text": "document {n} is about {n % 97}"}}\n' for n in range(2500)]
    place = tmp_path / "c"
    words = ["index", "-", "--to", str(place), *WORDS]
    program = [sys.executable, "-m", "twofold", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, text=True, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=heeds_ctrl_c) as process:
        assert process.stdin is not None
        process.stdin.write("".join(lines))  # and no end: it waits for more in the tenth block of 256
        process.stdin.flush()
        wait_until(lambda: documents_in(place) == 2304)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert f"interrupted; 2,304 documents stored in {place}" in err
    assert f"twofold {' '.join(words)}" in err
    assert documents_in(place) == 2304
    again = twofold(*words, "--json", stdin="".join(lines)).json
    assert (again["unchanged"], again["added"], again["documents"]) == (2304, 196, 2500)


def test_progress_is_drawn_on_a_terminal_and_results_go_to_standard_output(tmp_path: Path) -> None:
    data = tmp_path / "many.jsonl"
    data.write_text("".join(f'{{"id": {n}, "text": "document {n}"}}\n' for n in range(2500)))
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "twofold", "index", str(data), "--to", str(tmp_path / "c"), *WORDS]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True) as process:
        os.close(theirs)
        drawn = everything(ours)
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == 0
    assert "2,500 of 2,500 documents" in drawn
    assert "/s" in drawn
    assert out.startswith("2,500 documents: 2,500 added")
    assert "\x1b" not in out


def everything(terminal: int) -> str:
    """All that a process writes to a terminal until it ends."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            part = b""
        if not part:
            os.close(terminal)
            return shown.decode()
        shown += part


def documents_in(place: Path) -> int:
    """How many documents another process has committed."""
    try:
        with open_collection(place) as collection:
            return len(collection)
    except NotACollectionError:
        return -1


def wait_until(happens: Callable[[], bool]) -> None:
    """Waits for it, a minute at most."""
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_files_of_a_folder_that_are_not_read_are_told(twofold: Twofold, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("a.md", "b.png", "c.png", "d.css"):
        (folder / name).write_text("text")
    to = ("--encoder", "hashed-words:64", "--to")
    done = twofold("index", folder, *to, tmp_path / "p.twofold")
    assert done.status == 0
    assert f"3 files not read: 2 .png (such as {folder / 'b.png'}), 1 .css (such as {folder / 'd.css'})" in done.err
    left_out = twofold("index", folder, *to, tmp_path / "q.twofold", "--json").json["left_out"]
    assert left_out[".png"] == {"count": 2, "example": str(folder / "b.png")}


def test_own_vectors_need_ids_alone_and_one_array(tmp_path: Path, twofold: Twofold) -> None:
    vectors = np.random.default_rng(7).standard_normal((2, 5)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    np.savez(tmp_path / "v.npz", first=vectors)
    for name, content in (("a.jsonl", '{"id":"a","year":1}\n{"id":"b"}\n'), ("a.csv", "id,year\na,1\nb,2\n")):
        (tmp_path / name).write_text(content)
        done = twofold("index", tmp_path / name, "--to", tmp_path / f"{name}.tf", "--vectors", tmp_path / "v.npy")
        assert (done.status, "holds 2 documents" in done.out) == (0, True), done.err
        assert twofold("index", tmp_path / name, "--to", tmp_path / "none").status == 1
    for collection in ("new.tf", "a.csv.tf"):
        done = twofold("index", tmp_path / "a.csv", "--to", tmp_path / collection, "--vectors", tmp_path / "v.npz")
        assert done.status == 1
        assert "an .npz archive of arrays (first), and one array in a .npy file is needed: np.save(" in done.err
    asked = twofold("search", tmp_path / "a.csv.tf", "x")
    assert asked.status == 1
    assert "lexical" in asked.err
    asked = twofold("search", tmp_path / "a.csv.tf", "x", "--mode", "lexical")
    assert asked.status == 1
    assert "no document of this collection has a text or a title" in asked.err


def test_folders_of_equal_file_names_are_indexed_one_after_the_other(tmp_path: Path, twofold: Twofold) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.md").write_text(f"about project {name}")
    twofold("index", tmp_path / "a", "--to", tmp_path / "c", *WORDS)
    done = twofold("add", tmp_path / "c", tmp_path / "b", "--json").json
    assert (done["added"], done["replaced"], done["documents"]) == (1, 0, 2)
    assert sorted(twofold("search", tmp_path / "c", "project", "--json").ids) == ["a/index.md", "b/index.md"]
    again = twofold("index", tmp_path / "a", f"{tmp_path / 'b'}/", "--to", tmp_path / "c", "--json").json
    assert (again["unchanged"], again["documents"]) == (2, 2)


@pytest.mark.parametrize(("depth", "kept"), [(10, False), (1_000, True)])
def test_an_index_that_was_built_unasked_is_told_with_what_it_finds(
    depth: int, kept: bool, tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setattr(indexing, "KINDS", {"scan": KINDS["scan"]})
    monkeypatch.setitem(indexing.EFFORTS, "scan", (0,))
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((2_000, 32), dtype=np.float32))
    (tmp_path / "d.jsonl").write_text("".join(f'{{"id": {n}}}\n' for n in range(2_000)))
    words = ("index", tmp_path / "d.jsonl", "--vectors", tmp_path / "v.npy", "--depth", depth, "--to")
    out = twofold(*words, tmp_path / "c").out
    told = twofold(*words, tmp_path / "d", "--json").json
    assert "index: scan over 2,000 passages" in out
    assert ("does NOT keep the 0.980 promised" in out, "The promised recall was not reached." in out) == (
        not kept,
        not kept,
    )
    assert (told["index"]["kind"], told["index"]["kept"]) == ("scan", kept)
    assert "index: " not in twofold(*words, tmp_path / "c").out
