"""`encode` and `similarity` as processes, with the real encoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Twofold = Callable[..., Any]


def test_encoding_writes_a_vector_a_text_in_order_equal_to_encoding_one(
    tmp_path: Path, articles: Path, twofold: Twofold
) -> None:
    one, all_of_them = tmp_path / "one.npy", tmp_path / "all.npy"
    done = twofold("encode", articles, "--to", all_of_them, "--json").json
    assert (done["texts"], done["dimension"], done["texts_cut"]) == (8, 384, 0)
    vectors = np.load(all_of_them)
    assert (vectors.shape, vectors.dtype) == ((8, 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (
        twofold(
            "encode", "-", "--to", one, stdin="Tea Leaves steeped in hot water make a drink that keeps people awake.\n"
        ).status
        == 0
    )
    assert np.array_equal(np.load(one)[0], vectors[3])


def test_many_blocks_are_one_file(tmp_path: Path, twofold: Twofold) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"text {n}\n" for n in range(2500)))
    assert twofold("encode", texts, "--to", tmp_path / "x.npy", "--encoder", "hashed-words:16").status == 0
    vectors = np.load(tmp_path / "x.npy")
    assert vectors.shape == (2500, 16)
    assert (
        twofold("encode", "-", "--to", tmp_path / "last.npy", "--encoder", "hashed-words:16", stdin="text 2499").status
        == 0
    )
    assert np.array_equal(np.load(tmp_path / "last.npy")[0], vectors[-1])


def test_an_empty_line_is_a_text_so_that_lines_and_vectors_stay_beside_each_other(
    tmp_path: Path, twofold: Twofold
) -> None:
    done = twofold("encode", "-", "--to", tmp_path / "x.npy", "--json", stdin="one\n\nthree\n")
    assert done.status == 0, done.err
    assert np.load(tmp_path / "x.npy").shape == (3, 384)


def test_what_is_cut_is_said_or_refused_and_then_nothing_is_written(tmp_path: Path, twofold: Twofold) -> None:
    long, target = tmp_path / "long.txt", tmp_path / "x.npy"
    long.write_text("short\n" + "word " * 1000 + "\n")
    done = twofold("encode", long, "--to", target)
    assert "1 text cut, 746 tokens" in done.out  # 1,000 words, 256 places, two of them for special tokens
    target.unlink()
    refused = twofold("encode", long, "--to", target, "--on-truncation", "error")
    assert refused.status == 1
    assert refused.err.startswith("twofold: error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["long.txt"]


def test_tables_and_records_without_ids_are_encoded(tmp_path: Path, twofold: Twofold) -> None:
    (tmp_path / "a.csv").write_text('name,text\nx,"one, two"\n')
    (tmp_path / "a.tsv").write_text('name\tbody\nx\t"one, two\n')
    (tmp_path / "a.jsonl").write_text('{"text": "one, two"}\n')
    for name in ("a.csv", "a.tsv", "a.jsonl"):
        done = twofold("encode", tmp_path / name, "--to", tmp_path / "x.npy", "--encoder", "hashed-words:8", "--json")
        assert done.json["texts"] == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "no texts"),
        ("a.txt", b"fine\n\xff\n", "line 2"),
        ("a.jsonl", b'{"text": 3}\n', "line 1"),
        ("a.jsonl", b'{"id": 3}\n', "--text"),
        ("a.csv", b"text,name\nx\n", "line 2"),
    ],
)
def test_bad_texts_are_named_and_nothing_is_written(
    name: str, content: bytes, said: str, tmp_path: Path, twofold: Twofold
) -> None:
    (tmp_path / name).write_bytes(content)
    done = twofold("encode", tmp_path / name, "--to", tmp_path / "x.npy", "--encoder", "hashed-words:8")
    assert done.status == 1
    (line,) = done.err.splitlines()
    assert said in line
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_alike_texts_score_higher_than_others(twofold: Twofold) -> None:
    alike = float(twofold("similarity", "a cat sat on the mat", "a cat is resting on a rug").out)
    other = float(twofold("similarity", "a cat sat on the mat", "interest rates rose again").out)
    assert alike > 0.6
    assert other < 0.2


def test_a_file_of_pairs_gives_a_score_a_line(tmp_path: Path, twofold: Twofold) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text('a cat sat on the mat\ta cat is resting on a rug\n"quoted\t"quoted\n')
    lines = twofold("similarity", "--pairs", pairs).out.splitlines()
    single = twofold("similarity", "a cat sat on the mat", "a cat is resting on a rug", "--json").json
    assert float(lines[0]) == pytest.approx(single["score"], abs=1e-6)
    assert float(lines[1]) == pytest.approx(1, abs=1e-3)
    assert twofold("similarity", "--pairs", pairs, "--json").json["scores"] == pytest.approx(
        [float(line) for line in lines], abs=1e-6
    )


def test_a_text_that_no_tokeniser_takes_is_said(tmp_path: Path, twofold: Twofold) -> None:
    data = tmp_path / "a.jsonl"
    data.write_text(json.dumps({"text": "half a \ud800 pair"}) + "\n")
    done = twofold("encode", data, "--to", tmp_path / "x.npy")
    assert done.status == 0, done.err
    assert "1 lone surrogate replaced by U+FFFD" in done.out
