"""What a notebook shows, and the short forms: small, escaped, and never an error."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.evaluation.comparing import compare
from twofold.evaluation.evaluating import evaluate
from twofold.index_report import IndexReport, OperatingPoint
from twofold.reports import AddReport, EncodingReport, VerifyReport
from twofold.tables import Column, Header, Report, Table

SCRIPT = "<script>alert('x')</script>"
EMPTY = {"br"}


class Page(HTMLParser):
    """A fragment of HTML whose elements are closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.marked: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert all(name == "style" and value in ("text-align: left", "opacity: 0.6") for name, value in attrs)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["mark"]:
            self.marked.append(data)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with create(tmp_path / f"wiki {'<b>'}.twofold", HashedWords(64)) as made:
        long = "Many words before. " * 20 + f"The moons of {SCRIPT} Jupiter. " + "Many words after. " * 20
        made.add(
            [
                {"id": f"a{SCRIPT}", "title": f"Planets {SCRIPT}", "text": long, SCRIPT: SCRIPT},
                {"id": "b", "text": "One moon, <i>the</i> Moon."},
            ]
        )
        made.tune(analyser="english")
        yield made


def test_the_terms_of_the_query_are_marked_in_the_passage(collection: Collection) -> None:
    hits = collection.search("Which moon?", mode="lexical")
    page = Page(hits._repr_html_())
    assert sorted(page.marked) == ["Moon", "moon", "moons"]
    assert "script" not in page.seen
    assert "opacity" not in Page(hits[:0]._repr_html_()).seen


def test_parts_copies_and_other_orders_of_hits_are_marked_too(collection: Collection) -> None:
    class Longest:
        @property
        def name(self) -> str:
            return "length"

        def scores(self, query: str, texts: Sequence[str]) -> Any:
            return np.array([len(text) for text in texts], np.float32)

    hits = collection.search("moon", mode="hybrid", ranker=Longest())
    for each in (hits, hits[:2], hits.at_least(0.0), pickle.loads(pickle.dumps(hits))):
        assert "moons" in Page(each._repr_html_()).marked
    assert "moons" in Page(collection.search_many(["moon", "sun"])[0]._repr_html_()).marked


def test_the_signs_of_the_query_language_are_no_terms(collection: Collection) -> None:
    with collection.searcher(query_language=True) as searcher:
        page = Page(searcher.search("moons AND jupiter")._repr_html_())
    assert {"moons", "Jupiter"} == set(page.marked)


@pytest.mark.parametrize("query", ["moon", np.ones(64, np.float32)])
def test_a_dense_search_marks_the_passage(collection: Collection, query: Any) -> None:
    hits = collection.search(query, mode="dense")
    page = Page(hits._repr_html_())
    assert [hit.text[:600] for hit in hits] == [marked.removesuffix("…") for marked in page.marked]
    assert "script" not in page.seen


def test_collection_info_evaluation_comparison_and_tables_are_shown_escaped(collection: Collection) -> None:
    queries, qrels = {"q<b>": "moon", "r": "planets"}, {"q<b>": {"b": 1, "<i>": 1}, "r": {f"a{SCRIPT}": 1}}
    evaluation = evaluate(collection, queries, qrels, timed=1)
    comparison = compare({"a<b>": evaluation, "b": collection.run(queries, mode="lexical")}, qrels)
    table = Table("<b>", (Column("<i>"), Column("n")), ((SCRIPT, 1),), ("<p>note",))
    report = Report(Header("cpu<b>", 2, None, None), (table,))
    for shown in (collection, collection.info(), evaluation, comparison, table, report):
        page = Page(shown._repr_html_())
        assert "table" in page.seen
        assert not {"script", "b", "i"} & set(page.seen)
    facts = collection._repr_html_()
    assert "2 in 2 passages" in facts
    assert "hybrid; lexical by the analyser english" in facts
    assert "none, every search is exact" in facts
    assert "nDCG@10" in evaluation._repr_html_()
    assert "one query alone: p50 " in evaluation._repr_html_()


def test_short_forms_count(collection: Collection) -> None:
    queries, qrels = {"q": "moon", "r": "planets"}, {"q": {"b": 1}, "r": {f"a{SCRIPT}": 1}}
    evaluation = evaluate(collection, queries, qrels)
    assert repr(collection) == "<Collection wiki <b>.twofold: 2 documents, hashed-words>"
    assert repr(collection.info()) == "<Info wiki <b>.twofold: 2 documents, 2 passages, commit 2>"
    assert repr(evaluation).startswith("<Evaluation of 2 queries: nDCG@10 ")
    shown = repr(compare({"one": evaluation, "other": evaluation}, qrels))
    assert shown == "<Comparison with one over 2 queries: other not shown, nDCG@10 +0.0000 (p 1.0000)>"
    assert repr(AddReport(added=1200, tokens_cut=3)) == "<AddReport: 1,200 added, 3 tokens cut>"
    assert repr(AddReport()) == "<AddReport: nothing added>"
    assert repr(VerifyReport(documents=1, rows=2)) == "<VerifyReport: no damage, 1 document, 2 rows>"
    many = EncodingReport(texts=2000, tokens=9, cut=dict.fromkeys(range(1000), 1))
    assert repr(many) == "<EncodingReport: 2,000 texts, 9 tokens, 1,000 texts cut, 1,000 tokens not encoded>"
    assert repr(IndexReport(kind="flat", why="")) == "<IndexReport: flat, every search is exact>"
    point = OperatingPoint(kind="scan", effort=0, recall=0.99, low=0.98, high=1.0, p50=1.0, p99=2.0, queries=200)
    index = IndexReport(kind="scan", why="", rows=12000, reached=point)
    assert repr(index) == "<IndexReport: scan over 12,000 passages, recall@10 0.990>"
    assert repr(AddReport(index=index)).endswith("; index scan over 12,000 passages, recall@10 0.990>")


def test_the_short_form_and_the_page_of_what_cannot_be_read_say_so(tmp_path: Path) -> None:
    path = tmp_path / "wiki.twofold"
    with create(path, HashedWords(16)) as closed:
        pass
    moved = open_collection(path)
    shutil.move(path, tmp_path / "other.twofold")
    for collection, why in ((closed, "was closed"), (moved, "")):
        assert repr(collection).startswith("<Collection wiki.twofold: ")
        assert why in repr(collection)
        assert Page(collection._repr_html_()).seen == ["p"]
    moved.close()
