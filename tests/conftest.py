"""What every test stands on: no network, and nothing written outside its own folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_server import Database, started

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
# torch's threads that wait for each other sleep, instead of taking the cores from tests that run beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Connections to other machines fail, so that a test which needs one fails everywhere and not only offline."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise OSError(f"a test tried to connect to {address}; tests use no network")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache folder of this run, so that no test reads or writes the real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """A PostgreSQL server with pgvector, which is started when a test first asks for it and stopped at the end."""
    with started() as database:
        yield database


@pytest.fixture(scope="session")
def judged() -> Path:
    """The folder of judged collections (docs/data.md); the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no judged collections in {DATA}")
    return DATA
