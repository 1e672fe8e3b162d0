"""Arrays that grow at their end, handed out as views whose contents never change."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Numbers

_Values = TypeVar("_Values", bound=NDArray[Any])

SPARE = 1024
"""Room beyond a quarter of what is there."""


class Growing(Generic[_Values]):
    """An array with spare room behind what was handed out last, so that growing costs what is added.

    uniform: for as long as all values are equal, one of them is held, and views repeat it. One thread at a time may
    put; whoever holds a view needs no lock.
    """

    def __init__(self, *, uniform: bool = False) -> None:
        self._uniform = uniform
        self._room: _Values | None = None
        self._last: _Values | None = None

    def put(self, before: _Values, values: _Values, expected: int = 0) -> _Values:
        """All values of `before`, and then these; read-only. Nothing is copied where `before` was handed out last.

        The first values are taken as they are, so nobody may change them. expected: the length that is to come, where
        it is known.
        """
        end = len(before) + len(values)
        if self._room is None and self._uniform and _alike(before, values):
            return cast(_Values, np.broadcast_to((before if len(before) else values)[:1].copy(), end))
        room = self._room
        if end >= expected and not len(before):
            room = values
        elif room is None or before is not self._last or end > len(room):
            room = _with_room(before, max(expected, end + end // 4 + SPARE), values.dtype)
        if room is not values:
            room[len(before) : end] = values
        self._room, self._last = room, sealed(cast(_Values, room[:end]))
        return self._last

    def changed(self, before: _Values, places: Numbers, value: object) -> _Values:
        """All values of `before`, but these places of another value; read-only. What can grow is this from now on."""
        end = len(before)
        room = cast(_Values, _with_room(before, end + end // 4 + SPARE, before.dtype))
        room[places] = value
        self._room, self._last = room, sealed(cast(_Values, room[:end]))
        return self._last


def sealed(array: _Values) -> _Values:
    """A view that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def _with_room(before: NDArray[Any], length: int, dtype: np.dtype[Any]) -> Any:
    room = np.empty(length, dtype)
    room[: len(before)] = before
    return room


def _alike(before: NDArray[Any], values: NDArray[Any]) -> bool:
    """Whether all values equal the first of them. before: are all alike."""
    first = (before if len(before) else values)[:1]
    return len(first) > 0 and np.array_equal(values, np.broadcast_to(first, len(values)), equal_nan=True)
