"""What a corpus teaches by itself: what asks is taken out of the text, and near-duplicates count once."""

from __future__ import annotations

import pytest

from twofold.documents import Document
from twofold.errors import InputError
from twofold.training.from_corpus import examples_of

OWLS = "Owls hunt at night when the forest sleeps. They hear mice under the snow. Their feathers make no sound at all."
BREAD = "Bread needs flour and water and some salt. Yeast makes the dough rise for hours. A stone oven bakes it best."


def test_a_title_and_a_sentence_ask_for_what_is_left() -> None:
    found = examples_of([Document("owls", OWLS, "On owls"), Document("bread", BREAD)], "zoo")
    assert found.name == "zoo"
    assert found.queries["owls#0"] == "On owls"
    assert set(found.queries) == {"owls#0", "owls#1", "bread#0"}
    assert found.positives == {query: (query.split("#")[0],) for query in found.queries}
    for query, whole in (("owls#1", OWLS), ("bread#0", BREAD)):
        asked, left = found.queries[query], found.text(found.positives[query][0])
        assert asked in whole
        assert asked not in left
        assert sorted(f"{asked} {left}".split()) == sorted(whole.split())


def test_a_heading_asks_and_is_no_text() -> None:
    found = examples_of([Document("a", f"# How owls hunt\n{OWLS}")], "zoo")
    assert "How owls hunt" in found.queries.values()
    assert "How owls hunt" not in found.text("a")


def test_which_sentence_asks_depends_on_document_and_seed_alone() -> None:
    documents = [Document("owls", OWLS), Document("bread", BREAD)]
    one, other = examples_of(documents, "zoo"), examples_of(documents[:1], "zoo")
    assert one.queries["owls#0"] == other.queries["owls#0"]
    assert len({examples_of(documents, "zoo", seed=seed).queries["owls#0"] for seed in range(20)}) == 3


def test_near_duplicates_count_once_and_what_is_too_little_not_at_all() -> None:
    documents = [
        Document("owls", OWLS, "On owls"),
        Document("copy", f"{OWLS} Indeed.", "Owls, again"),
        Document("short", "Owls.", "Owl"),
        Document("one", "A single sentence of some length that leaves nothing when it is taken out."),
        Document("empty", "", "A title alone"),
    ]
    found = examples_of(documents, "zoo")
    assert set(found.documents) == {"owls", "one"}
    assert {document for (document,) in found.positives.values()} == {"owls"}
    with pytest.raises(InputError, match="zoo has neither titles nor headings"):
        examples_of(documents[2:], "zoo")


def test_so_many_pairs_at_most_are_drawn_by_the_seed() -> None:
    documents = [Document(str(number), f"{number} {OWLS} {number}", f"Owls {number * 7}") for number in range(3)]
    documents += [Document("bread", BREAD, "On bread")]
    drawn = examples_of(documents, "zoo", pairs=2)
    assert len(drawn.queries) == 2
    assert drawn.queries == examples_of(documents, "zoo", pairs=2).queries
    assert drawn.documents == examples_of(documents, "zoo").documents
