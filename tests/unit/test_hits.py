"""Hits: a list in every way, a table in two, and a page for notebooks."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from twofold.documents import Document, Passage
from twofold.hits import Hits
from twofold.rankings import Hit

TEXT = "Before. The <red> planet is Mars. " + "After. " * 60


def hit(identifier: str, score: float, /, **metadata: Any) -> Hit:
    document = Document(identifier, TEXT, "Planets & moons", metadata)
    return Hit(score, document, Passage(8, 33, TEXT[8:33]))


@pytest.fixture
def hits() -> Hits:
    return Hits([hit("mars", 0.75, moons=2, tags=["red"]), hit("earth", 0.5, moons="one", score=7)])


def test_hits_are_a_list_and_so_is_a_part_of_them(hits: Hits) -> None:
    assert hits == list(hits)
    assert isinstance(hits[:1], Hits)
    assert [each.id for each in hits[1:]] == ["earth"]
    assert hits[-1].text == "The <red> planet is Mars."
    assert repr(hits) == "Hits(2: 'mars' 0.750, 'earth' 0.500)"
    assert repr(Hits(list(hits) * 2)) == "Hits(4: 'mars' 0.750, 'earth' 0.500, 'mars' 0.750, …)"
    assert repr(Hits()) == "Hits(0)"
    assert repr(hits[0]) == "Hit('mars', 0.750000, 'The <red> planet is Mars.')"


def test_a_table_has_a_line_a_hit_and_a_column_a_field(hits: Hits) -> None:
    frame = hits.to_pandas()
    assert list(frame.columns) == [
        "id", "score", "relevance", "title", "text", "start", "end", "moons", "tags", "metadata.score",
    ]  # fmt: skip
    assert frame["id"].tolist() == ["mars", "earth"]
    assert frame["metadata.score"].tolist()[1] == 7
    assert pd.isna(frame["tags"][1])
    assert list(Hits().to_pandas().columns) == ["id", "score", "relevance", "title", "text", "start", "end"]


def test_fields_of_several_types_are_json_in_an_arrow_table(hits: Hits) -> None:
    table = hits.to_arrow()
    assert table.column("moons").to_pylist() == ["2", '"one"']
    assert table.column("tags").to_pylist() == [["red"], None]
    assert table.column("score").to_pylist() == [0.75, 0.5]
    assert Hits().to_arrow().num_rows == 0


def test_a_notebook_shows_the_passage_marked_and_nothing_raw(hits: Hits) -> None:
    page = hits._repr_html_()
    assert 'Before. </span><mark>The &lt;red&gt; planet is Mars.</mark><span style="opacity: 0.6"> After.' in page
    assert page.count("<tr>") == 3
    assert "<red>" not in page
    assert "Planets &amp; moons<br><code>mars</code>" in page
    assert Hits()._repr_html_() == "<p>nothing found</p>"


def test_no_field_is_lost_to_another_of_its_column() -> None:
    (record,) = Hits([hit("m", 0.5, **{"score": 1, "metadata.score": 2})]).to_records()
    assert (record["score"], record["metadata.metadata.score"], record["metadata.score"]) == (0.5, 1, 2)
