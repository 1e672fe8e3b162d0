"""A lexical score is BM25 as plain Python computes it, to the bit, whatever was indexed, when, and by whom."""

from __future__ import annotations

import math
from collections import Counter
from hashlib import blake2b

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import twofold
from twofold.collection.collection import Collection
from twofold.progress import silent

WORDS = ["red", "fox", "whale", "dog", "song", "rust", "mars"]
QUERIES = ("red", "red fox whale", "song song rust", "mars dog red whale fox song rust", "absent red")
EXACT = 24
"""Up to this length Lucene's byte is the length itself."""


def length_in_a_byte(length: int) -> int:
    """Lucene's SmallFloat: beyond 24 the part beyond is cut to its four leading bits."""
    beyond = length - EXACT
    cut = max(beyond.bit_length() - 4, 0)
    return length if beyond < 0 else EXACT + (beyond >> cut << cut)


def hashed(term: str) -> int:
    return int.from_bytes(blake2b(term.encode(), digest_size=7).digest(), "little")


def bm25(query: str, text: str, read: list[str]) -> float:
    """The score of a text among all texts that were read."""
    counts, asked = Counter(text.split()), Counter(query.split())
    average, score = sum(len(each.split()) for each in read) / len(read), 0.0
    for term in sorted(asked, key=hashed):
        having = sum(term in each.split() for each in read)
        if counts[term]:
            idf = math.log1p((len(read) - having + 0.5) / (having + 0.5))
            norm = 1.2 * (1 - 0.75 + 0.75 * length_in_a_byte(len(text.split())) / average)
            score += asked[term] * idf * (counts[term] * 2.2 / (counts[term] + norm))
    return float(np.float32(score))


class Model:
    """What a collection's lexical search should say. read: all texts since the index was made anew."""

    def __init__(self) -> None:
        self.live: dict[str, str] = {}
        self.read: list[str] = []

    def add(self, texts: dict[str, str]) -> None:
        self.read += [text for name, text in texts.items() if self.live.get(name) != text]
        self.live |= texts

    def renew(self) -> None:
        if len(self.read) != len(self.live):
            self.read = list(self.live.values())

    def ranking(self, query: str) -> list[tuple[str, float]]:
        scores = {name: bm25(query, text, self.read) for name, text in self.live.items()}
        return sorted(((name, score) for name, score in scores.items() if score), key=lambda each: (-each[1], each[0]))


def check(collection: Collection, model: Model) -> None:
    with collection.searcher() as searcher, collection.searcher(query_language=True) as language:
        for query in QUERIES:
            expected = model.ranking(query)
            assert [(hit.id, hit.score) for hit in searcher.search(query, mode="lexical", k=200)] == expected
            assert [(hit.id, hit.score) for hit in searcher.search(query, mode="lexical", k=2)] == expected[:2]
            assert {hit.id for hit in language.search(query, mode="lexical", k=200)} == {name for name, _ in expected}


TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=90).map(" ".join)
ADDED = st.dictionaries(st.integers(0, 12).map(lambda n: f"d{n:02}"), TEXT, min_size=1, max_size=6)
STEPS = st.one_of(
    ADDED.map(lambda texts: ("add", texts)),
    st.lists(st.integers(0, 12).map(lambda n: f"d{n:02}"), max_size=4).map(lambda names: ("delete", names)),
    st.sampled_from([("follow", None), ("renew", None), ("optimize", None), ("look", None)]),
)


@settings(max_examples=40, deadline=None)
@given(ADDED, st.lists(STEPS, max_size=9))
def test_scores_are_those_of_all_that_was_read_since_the_index_was_made_anew(
    first: dict[str, str], steps: list[tuple[str, object]]
) -> None:
    model = Model()
    with twofold.create(None, twofold.HashedWords(16)) as made, twofold.open(made.path) as beside:
        made.add(first.items())
        made.tune(analyser="plain")
        model.add(first)
        model.renew()
        for step, what in steps:
            if step == "add":
                made.add(what.items())  # type: ignore[attr-defined]
                model.add(what)  # type: ignore[arg-type]
            elif step == "delete":
                made.delete(what)  # type: ignore[arg-type]
                model.live = {name: text for name, text in model.live.items() if name not in what}  # type: ignore[operator]
            elif step == "look":
                check(beside, model)
            elif step == "follow":
                with made.writing() as writer:
                    writer._following(silent).follow()
            else:
                made.optimize() if step == "optimize" else made.tune()
                model.renew()
        for each in (made, beside):
            check(each, model)
        with twofold.open(made.path) as late:
            check(late, model)
