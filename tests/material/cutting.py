"""A server between a client and PostgreSQL that can cut the connection once a certain message has passed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

SIZE = 65_536


class Cutting:
    """Passes everything on; `cut_after` ends the connection over which a text is sent next.

    port: where it listens on 127.0.0.1.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._after: bytes | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self.cuts = 0
        self.refusing = False

    def cut_after(self, text: str, *, answered: bool) -> None:
        """answered: whether the server gets the text, and only its answer is lost; else the text is lost too."""
        self._after, self._answered = text.encode(), answered

    def address(self, collection: str) -> str:
        """The address of a collection by way of here."""
        parts = urlsplit(self._url)
        user = parts.netloc.rpartition("@")[0].partition(":")[0] or "postgres"
        return f"postgresql://{user}@127.0.0.1:{self.port}{parts.path}?sslmode=disable&{collection}"

    def serve(self) -> None:
        """Accepts connections until the end."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            serving = threading.Thread(target=self._between, args=(client, self._connected()))
            self._threads.append(serving)
            serving.start()

    def close(self) -> None:
        """Accepts no more."""
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._listening.close()
        for each in self._threads:
            each.join()

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._url)
        host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{parts.port or 5432}")
            return server
        return socket.create_connection((host, parts.port or 5432))

    def _between(self, client: socket.socket, server: socket.socket) -> None:
        silent = threading.Event()
        with client, server:
            answering = threading.Thread(target=self._answer, args=(client, server, silent))
            answering.start()
            self._ask(client, server, silent)
            answering.join()

    def _ask(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(SIZE):
                if self._after is not None and self._after in data:
                    self._after = None
                    self.cuts += 1
                    if not self._answered:
                        break
                    silent.set()
                server.sendall(data)
        _end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while (data := server.recv(SIZE)) and not silent.is_set():
                client.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(url: str) -> Iterator[Cutting]:
    """Such a server in a thread. url: of the database behind it."""
    between = Cutting(url)
    threading.Thread(target=between.serve, daemon=True).start()
    try:
        yield between
    finally:
        between.close()
