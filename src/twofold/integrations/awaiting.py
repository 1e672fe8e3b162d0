"""Methods that are awaited, as the frameworks' event loops want them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def awaited(method: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """The method, run in a worker thread while the event loop goes on; the same arguments, result and errors."""

    @wraps(method)
    async def run(*given: P.args, **named: P.kwargs) -> R:
        return await asyncio.to_thread(method, *given, **named)

    return run
