"""The servers of one measurement over one collection, and how each is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twofold.bench.serve_load import asked
from twofold.bench.serve_questions import Questions
from twofold.bench.serve_servers import (
    PeerMissingError,
    Running,
    chroma_server,
    tutorial_server,
    twofold_server,
)
from twofold.collection.collection import Collection
from twofold.errors import InputError, ServiceError
from twofold.searching.hybrid import SearchMode

HYBRID, DENSE, BY_VECTOR, EMBEDDING = "hybrid search", "dense search", "dense search by vector", "/v1/embeddings"
K = 10
OURS, UNBATCHED = "twofold", "twofold, --batch 1"
TUTORIAL, CHROMA = "FastAPI, sentence-transformers, FAISS", "chroma run"

Request = Callable[[Any], tuple[str, str, Any]]
"""A text or a vector → method, path, body."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A collection on disk with what other servers are filled from. encoder: its source. modes: of its searches."""

    folder: Path
    export: Path
    peers: Path
    encoder: Mapping[str, Any]
    modes: tuple[SearchMode, ...]
    texts: Sequence[str]
    vectors: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, and how it is asked for each kind of answer that it gives. questions: those that it was not asked."""

    running: Running
    ways: Mapping[str, Request]
    questions: Questions
    vectors: Sequence[Sequence[float]]

    @property
    def name(self) -> str:
        """What the tables call it."""
        return self.running.name

    def requests(self, kind: str, count: int) -> list[bytes]:
        """So many requests of one kind."""
        given = islice(cycle(self.vectors), count) if kind == BY_VECTOR else self.questions.take(count)
        return [self.running.address.request(*self.ways[kind](each)) for each in given]

    def check(self) -> None:
        """Asks once for each kind. Raises ServiceError where an answer is empty."""
        for kind, way in self.ways.items():
            found = asked(
                self.running.address, *way(self.vectors[0] if kind == BY_VECTOR else self.questions.take(1)[0])
            )
            if not any(found.values()):
                raise ServiceError(f"{self.name} answers a request for {kind} with nothing")


def prepared(collection: Collection, folder: Path, texts: Sequence[str], most: int) -> Prepared:
    """Exports a collection into `folder`, or takes the export that is there. most: questions whose vectors are sent.

    Raises InputError where the folder holds the export of another collection.
    """
    export, info = folder / "export", collection.info()
    if not export.exists():
        collection.export(export)
    said = json.loads((export / "export.json").read_text(encoding="utf-8"))
    if (said["commit"], said["passages"]) != (info.commit, info.passages):
        raise InputError("holds the export of another collection, or of another commit; name a new folder", path=folder)
    vectors = collection.encoder.encode_queries(list(texts[:most])).tolist()
    with collection.searcher() as searcher:
        modes = searcher.modes
    return Prepared(Path(info.path), export, folder / "chroma", collection.encoder.source, modes, texts, vectors)


def ours(stack: ExitStack, data: Prepared, name: str, *options: str) -> Contender:
    """`twofold serve`, until the stack ends. Raises ServiceError."""
    running = stack.enter_context(twofold_server(data.folder, name, *options))
    collection = data.folder.name.removesuffix(".twofold")
    path = f"/v1/collections/{collection}/search"
    ways: dict[str, Request] = {
        DENSE: lambda text: ("POST", path, {"query": text, "k": K, "mode": "dense"}),
        BY_VECTOR: lambda vector: ("POST", path, {"query": vector, "k": K, "mode": "dense"}),
        EMBEDDING: lambda text: (
            "POST",
            "/v1/embeddings",
            {"input": text, "model": collection, "encoding_format": "base64"},
        ),
    }
    if "hybrid" in data.modes:
        ways = {HYBRID: lambda text: ("POST", path, {"query": text, "k": K, "mode": "hybrid"}), **ways}
    return Contender(running, ways, Questions(data.texts), data.vectors)


def contenders(stack: ExitStack, data: Prepared) -> tuple[list[Contender], list[str]]:
    """All servers that run here, ours first, and of the others why they are left out."""
    found = [ours(stack, data, OURS), ours(stack, data, UNBATCHED, "--batch", "1")]
    lacking = []
    for name, start in ((TUTORIAL, _tutorial), (CHROMA, _chroma)):
        try:
            running, ways = start(stack, data)
        except (PeerMissingError, ServiceError) as error:
            lacking.append(f"left out: {name} ({error})")
        else:
            found.append(Contender(running, ways, Questions(data.texts), data.vectors))
    for each in found:
        each.check()
    return found, lacking


def _tutorial(stack: ExitStack, data: Prepared) -> tuple[Running, dict[str, Request]]:
    running = stack.enter_context(tutorial_server(data.export, data.encoder, TUTORIAL))
    return running, {
        DENSE: lambda text: ("GET", f"/search?query={quote(text)}&k={K}", None),
        EMBEDDING: lambda text: ("GET", f"/embed?text={quote(text)}", None),
    }


def _chroma(stack: ExitStack, data: Prepared) -> tuple[Running, dict[str, Request]]:
    running, path = stack.enter_context(chroma_server(data.export, data.peers, CHROMA))
    return running, {BY_VECTOR: partial(_nearest, f"{path}/query")}


def _nearest(path: str, vector: Any) -> tuple[str, str, Any]:
    included = ["documents", "metadatas", "distances"]
    return "POST", path, {"query_embeddings": [vector], "n_results": K, "include": included}
