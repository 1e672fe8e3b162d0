"""Ids that one input shows again are counted, in one block or in many."""

from __future__ import annotations

from twofold.collection.seen import Seen


def test_ids_that_come_again_are_counted_within_and_across_blocks() -> None:
    with Seen() as seen:
        assert seen.again(["a", "b", "a"]) == 1
        assert seen.again(["c", "b", "A", "é"]) == 1
        assert seen.again([]) == 0
        assert seen.again(["a", "a", "a"]) == 3
        overlapping = [[str(number) for number in range(start, start + 1000)] for start in range(0, 5000, 900)]
        assert sum(map(seen.again, overlapping)) == 500


def test_what_one_input_has_shown_is_forgotten_by_the_next() -> None:
    with Seen() as seen:
        assert seen.again(["a"]) == 0
    with Seen() as seen:
        assert seen.again(["a"]) == 0
