"""The whole command line, in this process or as one of its own, and collections that many tests ask."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twofold.cli.main import main

Twofold = Callable[..., "Done"]

ARTICLES: list[dict[str, Any]] = [
    {"_id": "compiler", "title": "A-0", "text": "Grace Hopper wrote the first compiler in 1952.", "year": 1952},
    {"_id": "moon", "title": "Apollo 11", "text": "Two people walked on the Moon while a third waited.", "year": 1969},
    {"_id": "cell", "title": "Mitochondrion", "text": "It makes most of the energy that a cell uses.", "year": 1890},
    {"_id": "tea", "title": "Tea", "text": "Leaves steeped in hot water make a drink that keeps people awake."},
    {
        "_id": "bread",
        "title": "Bread",
        "text": "Flour, water and yeast, kneaded, left to rise and baked.",
        "year": -8000,
    },
    {"_id": "whale", "title": "Blue whale", "text": "The largest animal that ever lived eats tiny crustaceans."},
    {"_id": "tokyo", "title": "東京", "text": "東京は日本の首都です。人口は千四百万人。", "year": 1868},
    {"_id": "law", "title": "Grundgesetz", "text": "Die Würde des Menschen ist unantastbar.", "year": 1949},
]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that it printed."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def ids(self) -> list[str]:
        """The ids of the hits that it printed as JSON."""
        return [hit["id"] for hit in self.json["hits"]]


@pytest.fixture(scope="session")
def twofold() -> Twofold:
    """Runs `twofold WORDS…` in this process, as `python -m twofold` does; what it prints and reads is its own."""

    def run(*words: object, stdin: str = "") -> Done:
        streams = [io.TextIOWrapper(io.BytesIO(given), encoding="utf-8") for given in (stdin.encode(), b"", b"")]
        with pytest.MonkeyPatch.context() as patch:
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            try:
                status = main(list(map(str, words)))
            except SystemExit as stopped:
                status = int(stopped.code or 0)
        return Done(status, *map(written, streams[1:]))

    return run


@pytest.fixture(scope="session")
def process() -> Twofold:
    """Runs `twofold WORDS…` as a process of its own, in an environment and under limits of its own."""

    def run(*words: object, env: Mapping[str, str] | None = None, limits: Callable[[], None] | None = None) -> Done:
        program = [sys.executable, "-m", "twofold", *map(str, words)]
        environment = {**os.environ, **(env or {})}
        done = subprocess.run(program, capture_output=True, env=environment, preexec_fn=limits, timeout=120)
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def written(stream: io.TextIOWrapper) -> str:
    """All that was written to a stream."""
    stream.flush()
    stream.seek(0)
    return stream.read()


@pytest.fixture(scope="session")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few real sentences as JSON Lines."""
    path = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in ARTICLES))
    return path


@pytest.fixture(scope="session")
def embedded(articles: Path, tmp_path_factory: pytest.TempPathFactory, twofold: Twofold) -> Path:
    """The articles indexed with the embedded encoder; nobody writes to it."""
    path = tmp_path_factory.mktemp("embedded") / "articles.twofold"
    done = twofold("index", articles, "--to", path)
    assert done.status == 0, done.err
    return path


@pytest.fixture
def hashed(articles: Path, tmp_path: Path, twofold: Twofold) -> Path:
    """The articles indexed with hashed words, for one test to change."""
    path = tmp_path / "articles.twofold"
    done = twofold("index", articles, "--to", path, "--encoder", "hashed-words:64")
    assert done.status == 0, done.err
    return path
