"""How routes read their bodies, and find the server that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from twofold.serving.access import Access
from twofold.serving.hall import Hall


class ReadRequest(Request):
    """A request whose JSON was read already, strictly (guard.py)."""

    async def json(self) -> Any:
        """The value."""
        return self.scope["state"]["json"]


class Route(APIRoute):
    """A route for such requests."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the route's own, for a ReadRequest."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            return await handler(ReadRequest(request.scope, request.receive))

        return handled


async def _hall(request: Request) -> Hall:
    hall: Hall = request.app.state.hall
    return hall


async def _access(request: Request) -> Access:
    access: Access = request.scope["state"]["access"]
    return access


InHall = Annotated[Hall, Depends(_hall)]
As = Annotated[Access, Depends(_access)]
