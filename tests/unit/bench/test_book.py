"""The reproduction book: what it may say, what is run, and what is left out in words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from twofold.bench.book import METHODS, NO_DATA, NO_METHOD, bench_book
from twofold.bench.expected import Expected, read_book
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.tables import Estimate

BOOK = Path(__file__).parents[3] / "benchmarks" / "expected.toml"
TABLE = """
[[table]]
what = "A title"
source = "somebody"
command = "twofold evaluate DATA/NAME"
measure = "RR@10"
tolerance = 0.01
rows = [
  {{ data = "judged", method = "dense", expected = {right} }},
  {{ data = "judged", method = "dense", expected = 0.25, measure = "P@1", tolerance = 0.5, passages = "auto" }},
  {{ data = "judged", method = "dense", expected = 0.5 }},
  {{ data = "judged", method = "telepathy", expected = 0.9 }},
  {{ data = "elsewhere", method = "dense", expected = 0.9 }},
  {{ data = "pairs.tsv", method = "similarity", measure = "spearman", expected = 100.0 }},
]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "judged" / "qrels").mkdir(parents=True)
    corpus = [{"_id": f"d{n}", "text": f"document about subject{n} and little else"} for n in range(10)]
    queries = [{"_id": f"q{n}", "text": f"subject{n}"} for n in range(4)]
    for name, records in (("corpus", corpus), ("queries", queries)):
        (folder / "judged" / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    (folder / "judged" / "qrels" / "test.tsv").write_text("".join(f"q{n}\td{n}\t1\n" for n in range(4)))
    (folder / "pairs.tsv").write_text(
        "score\tsentence1\tsentence2\n5\ta b c\ta b c\n3\ta b c\ta b d\n0\ta b c\tx y z\n"
    )
    return folder


def written(folder: Path, text: str) -> Path:
    path = folder / "book.toml"
    path.write_text(text)
    return path


def test_every_row_passes_differs_or_is_left_out_as_text(data: Path, tmp_path: Path) -> None:
    report = bench_book(written(tmp_path, TABLE.format(right=1.0)), data, encoder=HashedWords(256))
    table, counts = report.tables
    verdicts = {(row[0], row[1], row[2], row[3]): row[6] for row in table.rows}
    assert verdicts == {
        ("judged", "dense", "RR@10", 1.0): "pass",
        ("judged", "dense", "P@1", 0.25): "+0.7500",
        ("judged", "dense", "RR@10", 0.5): "+0.5000",
        ("judged", "telepathy", "RR@10", 0.9): NO_METHOD,
        ("elsewhere", "dense", "RR@10", 0.9): NO_DATA,
        ("pairs.tsv", "similarity", "spearman", 100.0): "pass",
    }
    assert counts.rows == ((2, 2, 2),)
    found = table.rows[0][5]
    assert isinstance(found, Estimate)
    assert found.value == 1.0
    assert table.notes == ("source: somebody", "by hand: twofold evaluate DATA/NAME")


def test_only_what_was_named_is_run(data: Path, tmp_path: Path) -> None:
    book = written(tmp_path, TABLE.format(right=1.0))
    report = bench_book(book, data, only=["pairs.tsv"], encoder=HashedWords(256))
    assert [row[0] for row in report.tables[0].rows] == ["pairs.tsv"]
    with pytest.raises(InputError, match=r"the book has no 'other'; it has elsewhere, judged, pairs\.tsv"):
        bench_book(book, data, only=["other"], encoder=HashedWords(256))


def test_a_figure_passes_within_its_tolerance_and_not_beyond() -> None:
    row = Expected("a", "dense", "nDCG@10", 0.5, 0.01)
    assert (row.verdict(0.509), row.verdict(0.491), row.verdict(0.52), row.verdict(0.48)) == (
        "pass",
        "pass",
        "+0.0200",
        "-0.0200",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("expected = 0.5 ", "expected = '0.5' "),
            "table 1 (A title), row 3: expected is a number from 0 on, not '0.5'",
        ),
        (("expected = 0.5 ", "tolerance = 1 "), "table 1 (A title), row 3: no expected"),
        (('method = "telepathy",', 'method = "telepathy", k = 3,'), "row 4: unknown key k"),
        (('passages = "auto"', 'passages = "some"'), "row 2: passages is none or auto, not 'some'"),
        (('source = "somebody"', ""), "table 1 (A title) lacks source"),
        (("[[table]]", "[[tables]]"), "a book holds [[table]] and nothing else"),
        (("rows = [", "rows = [["), "no TOML"),
    ],
)
def test_a_book_that_says_something_else_is_refused(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, TABLE.format(right=1.0).replace(*change))
    with pytest.raises(InputError, match=re.escape(said)):
        read_book(path)
    with pytest.raises(InputError, match="no such file"):
        read_book(tmp_path / "none.toml")


def test_the_projects_own_book_holds_what_was_promised() -> None:
    rows = {(row.data, row.method, row.measure): row for table in read_book(BOOK) for row in table.rows}
    assert rows["sts/stsb-en-test.tsv.xz", "similarity", "spearman"].expected == 82.03
    for name in ("scifact", "cranfield", "cisi", "npl", "cacm"):
        assert {method for data, method, _ in rows if data == name} >= {"dense", "lexical", "rrf", "min-max"}
    assert {method for _, method, _ in rows} >= METHODS.keys()


@pytest.mark.data
def test_the_book_passes_on_a_small_collection(judged: Path) -> None:
    report = bench_book(BOOK, judged, only=["adi"])
    verdicts: dict[Any, Any] = {row[1]: row[6] for table in report.tables[:-1] for row in table.rows}
    assert all(verdicts[method] == "pass" for method in METHODS)
