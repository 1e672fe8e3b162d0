"""Servers as processes: started on a free port of this machine, waited for, asked how much memory they hold, ended."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np

from twofold.bench.serve_load import Address, asked
from twofold.bench.serve_tutorial import texts_of
from twofold.errors import ServiceError, brief
from twofold.memory import anonymous_bytes
from twofold.models.locating import find_model

HOST = "127.0.0.1"
STARTING = 600.0
"""Seconds that a server may take until it answers: the tutorial's loads torch and reads all texts."""
ENDING = 40.0
PAUSE = 0.05
LONGEST = 500
"""Characters of what a server says that are shown."""
ADDED = 500
"""Passages that Chroma is sent at a time."""
CHROMA = "/api/v2/tenants/default_tenant/databases/default_database/collections"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. process: its id."""

    name: str
    address: Address
    process: int

    @property
    def memory(self) -> int | None:
        """Bytes of anonymous memory, of its children too; None where the system does not tell."""
        return anonymous_bytes(self.process)


class PeerMissingError(Exception):
    """A server that cannot be run here, and why not."""


@contextmanager
def twofold_server(folder: Path, name: str, *options: str) -> Iterator[Running]:
    """`twofold serve` over a collection, without maintenance. Raises ServiceError where it does not start."""
    command = [sys.executable, "-m", "twofold", "serve", str(folder), "--port", "0", "--no-maintenance", "--json"]
    with _process([*command, *options], stdout=subprocess.PIPE) as (process, told):
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise ServiceError(f"{name} did not start: {_last(told)}")
        port = int(json.loads(line)["url"].rpartition(":")[2])
        yield _ready(Running(name, Address(HOST, port), process.pid), process, told, "/ready")


@contextmanager
def tutorial_server(export: Path, encoder: Any, name: str) -> Iterator[Running]:
    """FastAPI, sentence-transformers and FAISS over what a collection exported. Raises PeerMissingError."""
    missing = [each for each in ("fastapi", "uvicorn", "sentence_transformers", "faiss") if find_spec(each) is None]
    if missing:
        raise PeerMissingError(f"{', '.join(missing)} not installed")
    if encoder["kind"] != "transformer":
        raise PeerMissingError(f"sentence-transformers has no encoder of the kind {encoder['kind']}")
    port, model = _free_port(), find_model(encoder["name"]).folder
    command = [sys.executable, "-m", "twofold.bench.serve_tutorial", str(export), str(model), str(port)]
    with _process(command) as (process, told):
        yield _ready(Running(name, Address(HOST, port), process.pid), process, told, "/openapi.json")


@contextmanager
def chroma_server(export: Path, folder: Path, name: str) -> Iterator[tuple[Running, str]]:
    """`chroma run` with the same passages and vectors, and the id of its collection. Raises PeerMissingError.

    folder: where it keeps them; a later run begins with what is there.
    """
    program = Path(sys.executable).with_name("chroma")
    found = str(program) if program.is_file() else shutil.which("chroma")
    if found is None:
        raise PeerMissingError("there is no program `chroma` beside this Python or on the path")
    port = _free_port()
    with _process([found, "run", "--path", str(folder), "--host", HOST, "--port", str(port)]) as (process, told):
        running = _ready(Running(name, Address(HOST, port), process.pid), process, told, "/api/v2/heartbeat")
        yield running, _filled(running.address, export)


def _filled(address: Address, export: Path) -> str:
    """The collection's id in Chroma, after all passages are in it."""
    settings = {"name": "passages", "get_or_create": True, "configuration": {"hnsw": {"space": "ip"}}}
    path = f"{CHROMA}/{asked(address, 'POST', CHROMA, settings)['id']}"
    texts, vectors = texts_of(export), np.load(export / "vectors.npy", mmap_mode="r")
    there = asked(address, "GET", f"{path}/count")
    for start in range(there - there % ADDED, len(texts), ADDED):
        part = texts[start : start + ADDED]
        body = {
            "ids": [str(start + place) for place in range(len(part))],
            "embeddings": vectors[start : start + ADDED].astype(np.float32).tolist(),
            "documents": [each["text"] for each in part],
            "metadatas": [{"id": each["id"]} for each in part],
        }
        asked(address, "POST", f"{path}/upsert", body)
    if (there := asked(address, "GET", f"{path}/count")) != len(texts):
        raise PeerMissingError(f"it holds {there:,} of {len(texts):,} passages")
    return path


@contextmanager
def _process(command: Sequence[str], stdout: int = subprocess.DEVNULL) -> Iterator[tuple[Any, IO[bytes]]]:
    """The process, and what it says on standard error; it ends with the block."""
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(  # noqa: S603 - programs of this environment, with our own words
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=told
        )
        try:
            yield process, told
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _ready(running: Running, process: Any, told: IO[bytes], path: str) -> Running:
    """The server, as soon as it answers at this address. Raises ServiceError where it ends or is too late."""
    until = time.perf_counter() + STARTING
    while process.poll() is None and time.perf_counter() < until:
        try:
            asked(running.address, "GET", path)
        except ServiceError:
            time.sleep(PAUSE)
        else:
            return running
    raise ServiceError(f"{running.name} did not start: {_last(told) or f'no answer within {STARTING:g} s'}")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _last(told: IO[bytes]) -> str:
    """The last line that a process said on standard error."""
    told.seek(0)
    lines = told.read().decode("utf-8", "replace").strip().splitlines()
    return brief(lines[-1], LONGEST) if lines else ""
