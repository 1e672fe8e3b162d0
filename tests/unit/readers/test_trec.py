from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.readers.trec import read_qrels, read_run, write_run


def written(tmp_path: Path, content: str | bytes, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_trec_judgements_have_four_columns_and_any_white_space(tmp_path: Path) -> None:
    path = written(tmp_path, "1 0 d1 2\r\n\n1\t0\td2\t-1\n  2   Q0 d\u00a01  0")
    assert read_qrels(path) == {"1": {"d1": 2, "d2": -1}, "2": {"d\u00a01": 0}}
    assert read_qrels(written(tmp_path, gzip.compress(path.read_bytes()), "a.gz")) == read_qrels(path)


@pytest.mark.parametrize("header", ["query-id\tcorpus-id\tscore\n", ""])
def test_beir_judgements_have_three_columns_with_tabs_and_perhaps_a_header(tmp_path: Path, header: str) -> None:
    path = written(tmp_path, f"{header}q 1\td 1\t1\nq 1\td 2\t2.0\r\n")
    assert read_qrels(path) == {"q 1": {"d 1": 1, "d 2": 2}}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("1 0 d1 1\n1 0 d2", "line 2: 3 columns; these judgements have four"),
        ("q\td\t1\nq\td2\n", "line 2: 2 columns; these judgements have three"),
        ("1 d1 1\n", "line 1: 3 columns; these judgements have four"),
        ("1 0 d1 0.5\n", "line 1: a relevance is a whole number, not '0.5'"),
        ("q\td\tyes\n", "line 1: a relevance is a whole number, not 'yes'"),
        ("1 0 d1 1\n2 0 d1 1\n1 0 d1 0\n", "line 3: query '1' and document 'd1' were judged before, as 1"),
        ("query-id\tcorpus-id\tscore\n", "no judgements in it"),
        ("", "no judgements in it"),
        (b"1 0 d\xff 1\n", "line 1: not UTF-8"),
    ],
)
def test_judgements_that_cannot_be_meant_are_errors(tmp_path: Path, content: str | bytes, cause: str) -> None:
    with pytest.raises(InputError, match=f"a.txt(, |: ){cause}"):
        read_qrels(written(tmp_path, content))


def test_the_same_judgement_twice_is_one(tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, "1 0 d1 1\n1 0 d1 1\n")) == {"1": {"d1": 1}}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("1 Q0 d1 1 2.5\n", "line 1: 5 columns; a run has six"),
        ("1 Q0 d1 1 high t\n", "line 1: a score is a finite number, not 'high'"),
        ("1 Q0 d1 1 nan t\n", "line 1: a score is a finite number, not 'nan'"),
        ("1 Q0 d1 1 2.5 t\n1 Q0 d1 2 2.4 t\n", "line 2: query '1' has the document 'd1' twice"),
        ("\n", "an empty run"),
    ],
)
def test_runs_that_cannot_be_meant_are_errors(tmp_path: Path, content: str, cause: str) -> None:
    with pytest.raises(InputError, match=f"a.txt(, |: ){cause}"):
        read_run(written(tmp_path, content))


def test_a_run_is_written_best_first_with_ties_to_the_smaller_id(tmp_path: Path) -> None:
    path = tmp_path / "a.trec"
    write_run({"q2": {"b": 0.5, "é": 1.0, "a": 0.5, "z": 1.0}, "q1": {"x": -1e-9}}, path, tag="mine")
    assert path.read_text("utf-8") == (
        "q2 Q0 z 1 1.0 mine\nq2 Q0 é 2 1.0 mine\nq2 Q0 a 3 0.5 mine\nq2 Q0 b 4 0.5 mine\nq1 Q0 x 1 -1e-09 mine\n"
    )


@pytest.mark.parametrize("name", ["a.trec", "a.trec.gz", "a.trec.xz"])
def test_a_written_run_reads_as_the_same_numbers(tmp_path: Path, name: str) -> None:
    close = [np.float32(0.7)]
    for _ in range(50):
        close.append(np.nextafter(close[-1], np.float32(1)))
    run = {"q": {f"d{position}": float(score) for position, score in enumerate(close)}}
    write_run(run, tmp_path / name)
    assert read_run(tmp_path / name) == run


def test_numpy_scores_are_written_as_numbers() -> None:
    file = io.StringIO()
    write_run({"q": {"d": np.float32(0.5)}}, file)  # type: ignore[dict-item]
    assert file.getvalue() == "q Q0 d 1 0.5 twofold\n"


@pytest.mark.parametrize(
    ("run", "tag", "cause"),
    [
        ({"q": {"a b": 1.0}}, "t", "the document id 'a b' is empty or holds white space"),
        ({"q": {"a": 2.0, "": 1.0}}, "t", "the document id '' is empty"),
        ({"q\t": {"a": 1.0}}, "t", r"the query id 'q\\t' is empty or holds white space"),
        ({"q": {"a": 1.0}}, "two words", "the tag 'two words' is empty or holds white space"),
        ({"q": {"a": 1.0, "b": float("nan")}}, "t", "document 'b': the score is nan"),
    ],
)
def test_a_run_that_no_reader_would_understand_is_refused_and_leaves_no_file(
    tmp_path: Path, run: dict[str, dict[str, float]], tag: str, cause: str
) -> None:
    path = written(tmp_path, "old", "a.trec")
    with pytest.raises(InputError, match=cause):
        write_run(run, path, tag=tag)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.trec", "old")]
