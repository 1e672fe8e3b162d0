"""Padded lengths follow from a text alone, and batches hold one of them."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.models.batches import Batch, Batcher, Ladder


@pytest.mark.parametrize(
    ("tokens", "length"),
    [(0, 1), (1, 1), (31, 31), (33, 34), (64, 64), (65, 68), (256, 256), (257, 272), (497, 500), (500, 500)],
)
def test_a_padded_length_is_the_next_step_or_the_last_position(tokens: int, length: int) -> None:
    assert Ladder(500).length(tokens) == length


def test_padding_is_less_than_a_sixteenth_and_there_are_sixteen_lengths_to_each_doubling() -> None:
    tokens = np.arange(1, 8193)
    padded = np.array([Ladder(None).length(int(count)) for count in tokens])
    assert (padded >= tokens).all()
    assert ((padded - tokens) / tokens).max() < 1 / 16
    assert len({length for length in padded.tolist() if 4096 < length <= 8192}) == 16
    assert [Ladder(None).length(length) for length in padded.tolist()] == padded.tolist()


def batches(lengths: list[int], budget: int, uncounted: int = 0) -> list[Batch]:
    batcher = Batcher(Ladder(512), budget, uncounted)
    full = [batcher.add(position, [7] * length) for position, length in enumerate(lengths)]
    return [batch for batch in full if batch is not None] + list(batcher.rest())


def test_every_text_is_in_one_batch_of_its_own_padded_length() -> None:
    lengths = [(n * 37) % 130 + 1 for n in range(100)]
    made = batches(lengths, 512)
    assert sorted(np.concatenate([batch.positions for batch in made])) == list(range(100))
    for batch in made:
        assert batch.ids.size <= 512
        for position, ids, mask in zip(batch.positions, batch.ids, batch.mask, strict=True):
            assert len(ids) == Ladder(512).length(lengths[position])
            assert mask.sum() == lengths[position]
            assert (ids == 7 * mask).all()


def test_a_text_beyond_the_budget_has_a_batch_of_its_own() -> None:
    assert [batch.ids.shape for batch in batches([400, 400], 128)] == [(1, 400), (1, 400)]


def test_what_is_left_comes_in_powers_of_two() -> None:
    assert [len(batch.positions) for batch in batches([10] * 13, 4096)] == [8, 4, 1]


def test_tokens_that_do_not_count_are_left_out_of_one_mask_only() -> None:
    (batch,) = batches([5], 512, uncounted=2)
    assert batch.mask.tolist() == [[1, 1, 1, 1, 1]]
    assert batch.counted.tolist() == [[0, 0, 1, 1, 1]]
