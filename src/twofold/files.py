"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from twofold.errors import StorageError


@contextmanager
def write_aside(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file to write to that takes the name `path`, synced, when the block ends without an error.

    Until then `path` keeps what it had; after an error nothing is left behind. Raises StorageError, naming the path,
    where the disk refuses.
    """
    path = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise refused(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise refused(path, error) from error
        raise


def sync_folder(folder: str | Path) -> None:
    """Makes the names in a folder durable: what was created or renamed there stays so after a power loss."""
    if os.name == "nt":  # Windows offers no handle on a folder; NTFS journals names itself.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refused(path: str | Path, error: OSError) -> StorageError:
    """The error that says which path the disk refused, and why."""
    return StorageError(
        f"{path}: {error.strerror or error}. Nothing that was acknowledged is lost; make room or rights, and run again."
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
