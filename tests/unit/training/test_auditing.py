"""What an audit counts, on data with one of everything."""

from __future__ import annotations

import json

from twofold.documents import Document
from twofold.training.auditing import SHEET, audit
from twofold.training.examples import Examples
from twofold.training.mining import Triplet

TEXTS = {"d1": "owls hunt at night", "d2": "owls hunt at night", "d3": "bread needs yeast", "d4": "trains run on rails"}
QUERIES = {
    "q1": "when do the old grey owls of the north hunt",
    "q2": "when do the old grey owls of the north hunt now",
    "q3": "what makes dough rise",
    "q4": "who hunts at night",
}
EXAMPLES = Examples(
    "zoo",
    QUERIES,
    {name: Document(name, text) for name, text in TEXTS.items()},
    {"q1": ("d1",), "q2": ("d1", "d2"), "q3": ("d3",), "q4": ("d2",)},
)


def test_repetitions_and_pairs_without_a_common_word_are_counted() -> None:
    found = audit(EXAMPLES)
    assert (found.queries, found.pairs, found.documents) == (4, 5, 4)
    assert found.near_queries == 1  # q1 and q2
    assert found.equal_documents == 2  # d1 and d2
    assert found.shared_answers == 4  # d1 answers two queries, d2 too
    assert found.wordless == 1  # q3
    assert (found.leaked_answers, found.leaked_queries) == (None, None)
    assert "test" not in found.table().to_text()


def test_what_leaks_into_the_test_is_counted() -> None:
    test = {"t1": "when do the old grey owls of the north hunt, please", "t2": "what are rails for"}
    found = audit(EXAMPLES, test=(test, ["d3", "d4"]))
    assert found.leaked_queries == 1  # t1 repeats q1 and q2
    assert found.leaked_answers == 1  # d3
    assert "test queries that nearly repeat a training query" in found.table().to_text()


def test_the_sheet_holds_negatives_beside_question_and_answer() -> None:
    triplets = [Triplet("q3", "d3", ("d4", "d1")), Triplet("q4", "d2", ())]
    [row] = audit(EXAMPLES, triplets).to_json()["sheet"]
    assert row == {"query": QUERIES["q3"], "answer": TEXTS["d3"], "negative": TEXTS["d4"]}
    many = audit(EXAMPLES, [Triplet("q3", "d3", ("d4",))] * 1000)
    assert len(many.sheet) == SHEET
    json.dumps(many.to_json())
