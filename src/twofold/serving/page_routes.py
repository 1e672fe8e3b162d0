"""The page at /: its files come from the package, and nothing else is read for it."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

from twofold.errors import NotServedError, brief

router = APIRouter(include_in_schema=False)
TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FILES = {
    each.name: (each.read_bytes(), TYPES[each.name.rpartition(".")[2]])
    for each in files("twofold.serving").joinpath("page").iterdir()
    if each.name.rpartition(".")[2] in TYPES
}
"""Name → bytes and type of each file, read once; a request names one of these or none."""


@router.get("/")
async def index() -> Response:
    """The page."""
    return _file("index.html")


@router.get("/page/{name}")
async def part(name: str) -> Response:
    """A style, a script or a picture of it."""
    return _file(name)


def _file(name: str) -> Response:
    if name not in FILES:
        raise NotServedError(f"the page has no file {brief(name)!r}")
    content, kind = FILES[name]
    return Response(content, headers={"Content-Type": kind, "Cache-Control": "no-cache"})
