"""Spaces never mix: whatever happens in another one, a document's score in this one has the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import (
    DIMENSION,
    OTHER,
    OTHER_SPACE,
    block,
    both,
    content,
    document,
    new_store,
    other_part,
    vectors_of,
)

from twofold.engines.local.engine import Store
from twofold.engines.local.writer import Writer
from twofold.space import MAIN

IDS = "abcdef"
STEPS: st.SearchStrategy[tuple[str, list[str], int]] = st.one_of(
    st.tuples(
        st.just("commit"), st.lists(st.sampled_from(IDS), min_size=1, max_size=4, unique=True), st.integers(0, 3)
    ),
    st.tuples(st.just("delete"), st.lists(st.sampled_from(IDS), min_size=1, max_size=2, unique=True), st.just(0)),
    st.tuples(st.sampled_from(["compact", "begin", "fill", "switch", "drop"]), st.just([]), st.integers(1, 3)),
)
QUERY = vectors_of("query", 1)[0]


def scores(store: Store, space: str) -> dict[str, tuple[float, int]]:
    """id → (score, passages) of every document, found through one space."""
    query = QUERY if space == MAIN else vectors_of("other query", 1, OTHER_SPACE.dimension)[0]
    with store.snapshot() as snapshot:
        found = snapshot.dense(space).nearest(query, depth=99, top=99)
        passages = np.bincount(snapshot.passages(found.documents, space).owners, minlength=len(found.documents))
        named = zip(snapshot.ids(found.documents), found.scores.tolist(), passages.tolist(), strict=True)
        return {identifier: (score, count) for identifier, score, count in named}


def elsewhere(store: Store, writer: Writer, step: str, count: int) -> None:
    """What happens to the other space; what is not possible now is left."""
    there = OTHER in store.description.names()
    if step == "begin" and not there:
        writer.add_space(OTHER_SPACE)
    elif step == "fill" and there:
        with store.snapshot() as snapshot:
            numbers = snapshot.lacking(OTHER, count)
            found = snapshot.passages(numbers, MAIN)
            rows = np.bincount(found.owners, minlength=len(numbers)).tolist()
            writer.fill_space(OTHER, numbers, other_part(block(snapshot.documents(numbers), rows=rows)))
    elif step == "switch" and OTHER in {space.name for space in writer.spaces()}:
        writer.make_default(OTHER if store.space.name == MAIN else MAIN)
    elif step == "drop" and there and store.space.name == MAIN:
        writer.drop_space(OTHER)
    elif step == "compact":
        writer.compact()


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_a_score_in_a_space_has_the_same_bits_whatever_happens_in_the_other(
    steps: list[tuple[str, list[str], int]],
) -> None:
    with new_store(None) as alone, new_store(None) as store, alone.writing() as lonely, store.writing() as writer:
        for number, (step, ids, count) in enumerate(steps):
            if step == "commit":
                sent = block([document(each, f"{each} in turn {number}") for each in ids], rows=count)
                lonely.commit(sent)
                writer.commit(both(sent) if len(writer.spaces()) > 1 else sent)
            elif step == "delete":
                for one, of in ((lonely, alone), (writer, store)):
                    with of.snapshot() as snapshot:
                        numbers = list(snapshot.find(ids).values())
                    one.delete(numbers)
            else:
                elsewhere(store, writer, step, count)
            assert scores(store, MAIN) == scores(alone, MAIN)
        assert content(store, MAIN) == content(alone, MAIN)
        if OTHER in store.description.names():
            for identifier, (text, _, vectors) in content(store, OTHER).items():
                assert vectors in ([], vectors_of(f"other {text}", len(vectors), OTHER_SPACE.dimension).tolist()), (
                    identifier
                )
        assert store.verify().damage == []


def test_equal_vectors_in_two_spaces_score_equally_in_both() -> None:
    alike = replace(OTHER_SPACE, dimension=DIMENSION)
    sent = block([document(each) for each in IDS], rows=2)
    with new_store(None) as store, store.writing() as writer:
        writer.commit(sent)
        writer.add_space(alike)
        writer.fill_space(OTHER, np.arange(len(IDS)), sent.parts[MAIN])
        with store.snapshot() as snapshot:
            first, second = (snapshot.dense(space).nearest(QUERY, depth=9, top=9) for space in (MAIN, OTHER))
            assert first.scores.tolist() == second.scores.tolist()
            assert first.documents.tolist() == second.documents.tolist()
