"""A server on this machine with an embeddings API of OpenAI's shape, which answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import twofold
from twofold.encoders.hashed_words import HashedWords

DIMENSION = 16
MODEL = "words-16"

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


def data_of(asked: dict[str, Any]) -> list[dict[str, Any]]:
    vectors = HashedWords(asked.get("dimensions", DIMENSION)).encode_documents(asked["input"])
    return [{"object": "embedding", "index": at, "embedding": line.tolist()} for at, line in enumerate(vectors)]


def answer_of(data: object, **more: Any) -> Answer:
    return 200, {}, json.dumps({"object": "list", "data": data, **more}).encode()


def refusal(status: int, message: str = "no", **headers: str) -> Answer:
    return (
        status,
        {each.replace("_", "-"): value for each, value in headers.items()},
        json.dumps({"error": {"message": message}}).encode(),
    )


class EmbeddingServer:
    """requests: what came, in its order. answers: made of what is asked, one for each request; then ordinary ones."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answers: list[Answer | Callable[[dict[str, Any]], Answer]] = []
        self.otherwise: Callable[[dict[str, Any]], Answer] = lambda asked: answer_of(data_of(asked))
        self.ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append({**asked, "path": self.path})
                outer.keys.append(self.headers["Authorization"])
                answer = outer.answers.pop(0) if outer.answers else outer.otherwise
                status, headers, body = answer if isinstance(answer, tuple) else answer(asked)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that went away is no news."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def encoder(self, **settings: Any) -> twofold.ApiEncoder:
        return twofold.ApiEncoder(self.url, MODEL, **{"dimensions": DIMENSION, **settings})
