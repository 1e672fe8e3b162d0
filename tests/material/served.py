"""A server in a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def served(*folders: Path, **settings: Any) -> Iterator[str]:
    """The address of a server of these collections, which ends with the block."""
    import uvicorn

    from twofold.serving.app import make_app
    from twofold.serving.settings import ServerSettings

    app = make_app(ServerSettings(collections=tuple(map(str, folders)), port=0, maintenance=False, **settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
