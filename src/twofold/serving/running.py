"""Runs a server: the socket, the signals, several processes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from twofold.errors import InputError, MissingExtraError
from twofold.serving.settings import ServerSettings

DRAIN = 30
"""Seconds that open requests have to end after SIGTERM or Ctrl-C."""


@dataclass(frozen=True)
class Worker:
    """Makes the application, in whichever process."""

    settings: ServerSettings

    def __call__(self) -> object:
        """The application."""
        from twofold.serving.app import make_app

        return make_app(self.settings)


def serve(settings: ServerSettings, listening: Callable[[str], None]) -> None:
    """Answers requests until SIGTERM or Ctrl-C, and then those that are open.

    listening: called with the server's address. Raises InputError for an address that cannot be listened at, what
    opening a collection raises, MissingExtraError.
    """
    try:
        import uvicorn
        from uvicorn.supervisors import Multiprocess

        from twofold.serving.app import make_app
    except ImportError as error:
        raise MissingExtraError(error.name or "fastapi", "serve") from None
    several = settings.workers > 1
    # With several processes each opens the collections itself, but what is wrong is said before they start.
    app = make_app(settings)
    listener = _listener(settings)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        Worker(settings) if several else app,
        factory=several,
        workers=settings.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
        timeout_keep_alive=75,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    listening(f"http://{host}:{port}")
    server = uvicorn.Server(config)
    with listener:
        if several:
            app.hall.close()  # type: ignore[attr-defined]
            Multiprocess(config, sockets=[listener]).run()
        else:
            server.run(sockets=[listener])


def _listener(settings: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2_048)
    except OSError as error:
        raise InputError(
            f"cannot listen at {settings.host}:{settings.port}: {error.strerror or error}; name another: --port N"
        ) from None
