"""Layers that see near tokens alone: what a text is divided into, and which pairs are seen."""

from __future__ import annotations

import numpy as np
import openvino
import openvino.opset13 as op
import pytest
from numpy.typing import NDArray

from twofold.models.attention import BLOCK, near_view
from twofold.models.graphs import MASKED
from twofold.models.rotary import Turn


def view_of(mask: NDArray[np.float32], before: int, after: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The bias and the keys of the view for this mask."""
    given = op.parameter([-1, -1], np.float32)
    view = near_view(Turn(None, None), given, before, after)
    assert view.keys is not None
    model = openvino.Model([op.result(view.bias), op.result(view.keys)], [given], "view")
    bias, keys = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([mask]).values()
    return bias, keys


@pytest.mark.parametrize(("before", "after"), [(64, 64), (8, 8), (511, 0), (256, 256), (0, 0)])
@pytest.mark.parametrize("tokens", [1, 2, 127, 128, 129, 255, 256, 257, 384, 1000, 1024, 2048])
def test_the_pairs_that_are_seen_are_the_real_ones_within_reach(before: int, after: int, tokens: int) -> None:
    mask = np.ones((2, tokens), dtype=np.float32)
    mask[1, tokens // 2 :] = 0
    bias, keys = view_of(mask, before, after)
    length = bias.shape[2]
    seen = np.zeros((2, tokens, tokens), dtype=bool)
    for row, block in enumerate(bias[:, 0]):
        text, number = divmod(row, len(keys))
        seen[text, number * length : (number + 1) * length, keys[number]] = block.T == 0
    assert set(np.unique(bias)) <= {np.float32(0), MASKED}
    back = np.arange(tokens)[:, None] - np.arange(tokens)
    np.testing.assert_array_equal(seen, (back <= before) & (back >= -after) & (mask > 0)[:, None])


@pytest.mark.parametrize("reach", [16, 128, 511, 1024])
def test_what_a_layer_holds_grows_with_the_length_and_not_with_its_square(reach: int) -> None:
    for tokens in (4096, 8192):
        bias, keys = view_of(np.ones((1, tokens), dtype=np.float32), reach // 2, reach - reach // 2)
        assert bias.size <= tokens * (max(2 * BLOCK, reach) + reach)
        assert keys.size <= 3 * tokens


def test_a_text_no_longer_than_what_a_block_sees_is_one_block() -> None:
    for tokens in (1, 100, 2 * BLOCK):
        bias, keys = view_of(np.ones((1, tokens), dtype=np.float32), BLOCK // 2, BLOCK // 2)
        assert bias.shape == (1, 1, tokens, tokens)
        assert keys.shape == (1, tokens)
