"""What is held out shares nothing with what is trained on."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.documents import Document
from twofold.errors import InputError
from twofold.training.examples import Examples
from twofold.training.splitting import near_duplicates, split

WORDS = st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=9).map(" ".join)


def examples(queries: dict[str, str], positives: dict[str, tuple[str, ...]]) -> Examples:
    documents = {name: Document(name, f"text of {name}") for found in positives.values() for name in found}
    return Examples("made", queries, documents, positives)


def fifty() -> Examples:
    """Fifty different questions, of which two neighbours each share a document."""
    queries = {f"q{place}": f"question {place} about subject {place * place}" for place in range(50)}
    return examples(queries, {query: (f"d{place // 2}",) for place, query in enumerate(queries)})


def test_no_document_is_on_both_sides() -> None:
    whole = fifty()
    parts = split(whole, 0.2, seed=3)
    assert len(parts.dev) == 10
    assert sorted(parts.train + parts.dev) == sorted(whole.queries)
    sides = [{document for query in side for document in whole.positives[query]} for side in (parts.train, parts.dev)]
    assert not sides[0] & sides[1]


def test_questions_that_nearly_repeat_each_other_stay_together() -> None:
    twins = [("how tall is the old tower of pisa", "how tall is the old tower of pisa today")] * 8
    queries = {
        f"q{place}{side}": f"{text} {place}" for place, pair in enumerate(twins) for side, text in enumerate(pair)
    }
    queries = {name: text.replace("pisa", f"city{name[1]} in land{name[1]}") for name, text in queries.items()}
    whole = examples(queries, {name: (f"d{name}",) for name in queries})
    assert {frozenset(pair) for pair in near_duplicates(queries)} >= {
        frozenset((f"q{place}0", f"q{place}1")) for place in range(8)
    }
    parts = split(whole, 0.3, seed=0)
    assert parts.near >= 8
    assert not {name[:2] for name in parts.dev} & {name[:2] for name in parts.train}


def test_the_draw_goes_by_the_seed_alone() -> None:
    assert split(fifty(), 0.2, seed=3) == split(fifty(), 0.2, seed=3)
    assert split(fifty(), 0.2, seed=3).dev != split(fifty(), 0.2, seed=4).dev


def test_data_that_hang_together_cannot_be_split() -> None:
    queries = {f"q{place}": f"question {place} on {place + 100}" for place in range(9)}
    with pytest.raises(InputError, match="9 queries in 1 groups"):
        split(examples(queries, dict.fromkeys(queries, ("d",))), 0.2, seed=0)


@given(st.lists(WORDS, min_size=2, max_size=25), st.sampled_from([0.5, 0.75, 0.8, 1.0]))
def test_near_duplicates_are_those_of_all_pairs_compared(texts: list[str], near: float) -> None:
    named = {f"{place}": text for place, text in enumerate(texts)}
    sets = {name: set(text.split()) for name, text in named.items()}
    expected = {
        frozenset((one, other))
        for one, other in itertools.combinations(named, 2)
        if len(sets[one] & sets[other]) >= near * len(sets[one] | sets[other])
    }
    found = [frozenset(pair) for pair in near_duplicates(named, near)]
    assert set(found) == expected
    assert len(found) == len(expected)
