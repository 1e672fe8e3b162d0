"""Arrays that grow: what was handed out never changes, and growing copies nothing that is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from twofold.engines.local.catalogue.growing import SPARE, Growing


def grown(*parts: list[int], uniform: bool = False) -> tuple[Growing[NDArray[np.int32]], list[NDArray[np.int32]]]:
    growing, views = Growing[NDArray[np.int32]](uniform=uniform), [np.empty(0, np.int32)]
    for part in parts:
        views.append(growing.put(views[-1], np.array(part, np.int32)))
    return growing, views[1:]


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("parts", [([7, 7], [7], [7, 8], []), ([], [1], [1]), ([5],), ([5, 5], [6] * 3000, [7])])
def test_views_hold_what_was_put_and_never_change(parts: tuple[list[int], ...], uniform: bool) -> None:
    _, views = grown(*parts, uniform=uniform)
    expected: list[int] = []
    for part, view in zip(parts, views, strict=True):
        expected += part
        assert view.tolist() == expected
        assert not view.flags.writeable or not len(view)


def test_growing_copies_nothing_until_the_capacity_is_used() -> None:
    growing, (first, second) = grown([1, 2], [3])
    third = growing.put(second, np.arange(SPARE - 10, dtype=np.int32))
    assert np.shares_memory(second, third)
    assert not np.shares_memory(first, second)  # the first values came without capacity behind them
    expected = growing.put(np.empty(0, np.int32), np.ones(1, np.int32), 10 * SPARE)
    assert np.shares_memory(expected, growing.put(expected, np.ones(9 * SPARE, np.int32)))


def test_an_addition_to_what_was_not_handed_out_last_leaves_the_last_as_it_is() -> None:
    growing, (first, second) = grown([1], [2])
    other = growing.put(first, np.array([3], np.int32))
    assert (first.tolist(), second.tolist(), other.tolist()) == ([1], [1, 2], [1, 3])


def test_a_change_is_made_in_a_copy_that_grows_on() -> None:
    growing, (first,) = grown([1, 2, 3])
    changed = growing.changed(first, np.array([1]), 0)
    longer = growing.put(changed, np.array([4], np.int32))
    assert (first.tolist(), changed.tolist(), longer.tolist()) == ([1, 2, 3], [1, 0, 3], [1, 0, 3, 4])
    assert np.shares_memory(changed, longer)


@pytest.mark.parametrize("value", [3, np.nan])
def test_equal_values_are_held_once(value: float) -> None:
    growing = Growing[NDArray[Any]](uniform=True)
    view = growing.put(growing.put(np.empty(0), np.full(5, value)), np.full(100, value))
    assert view.strides == (0,)
    np.testing.assert_array_equal(view, np.full(105, value))
    np.testing.assert_array_equal(growing.put(view, np.zeros(1)), [*[value] * 105, 0])
