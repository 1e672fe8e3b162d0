"""Arrays that grow at their end; the returned views never change."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Numbers

_Values = TypeVar("_Values", bound=NDArray[Any])

SPARE = 1024
"""Capacity beyond a quarter of what is there."""


class Growing(Generic[_Values]):
    """An array with spare capacity behind the last returned view, so that growing costs only what is added.

    uniform: for as long as all values are equal, only one is stored, and views repeat it. Calls of `put` must be
    serialised; reading a view needs no lock.
    """

    def __init__(self, *, uniform: bool = False) -> None:
        self._uniform = uniform
        self._capacity: _Values | None = None
        self._last: _Values | None = None

    def put(self, before: _Values, values: _Values, expected: int = 0) -> _Values:
        """All values of `before`, and then these; read-only. Nothing is copied if `before` is the last returned view.

        The first values are not copied, so they must not change. expected: the final length, if it is known.
        """
        end = len(before) + len(values)
        if self._capacity is None and self._uniform and _alike(before, values):
            return cast(_Values, np.broadcast_to((before if len(before) else values)[:1].copy(), end))
        capacity = self._capacity
        if end >= expected and not len(before):
            capacity = values
        elif capacity is None or before is not self._last or end > len(capacity):
            capacity = _with_capacity(before, max(expected, end + end // 4 + SPARE), values.dtype)
        if capacity is not values:
            capacity[len(before) : end] = values
        self._capacity, self._last = capacity, sealed(cast(_Values, capacity[:end]))
        return self._last

    def changed(self, before: _Values, places: Numbers, value: object) -> _Values:
        """All values of `before`, but these places of another value; read-only. Only this view can grow from now on."""
        end = len(before)
        capacity = cast(_Values, _with_capacity(before, end + end // 4 + SPARE, before.dtype))
        capacity[places] = value
        self._capacity, self._last = capacity, sealed(cast(_Values, capacity[:end]))
        return self._last


def sealed(array: _Values) -> _Values:
    """A view that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def _with_capacity(before: NDArray[Any], length: int, dtype: np.dtype[Any]) -> Any:
    capacity = np.empty(length, dtype)
    capacity[: len(before)] = before
    return capacity


def _alike(before: NDArray[Any], values: NDArray[Any]) -> bool:
    """Whether all values equal the first of them. before: are all alike."""
    first = (before if len(before) else values)[:1]
    return len(first) > 0 and np.array_equal(values, np.broadcast_to(first, len(values)), equal_nan=True)
