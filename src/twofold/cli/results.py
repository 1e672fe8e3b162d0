"""Where a command may write its results: not over its own input, and not into a collection."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from twofold.errors import InputError


def check_result(path: str | Path, inputs: Iterable[str | Path | None] = ()) -> None:
    """Raises InputError or StorageError where a file of results cannot or must not be written: better before the work.

    inputs: files that the command reads.
    """
    from twofold.collection.opening import check_outside
    from twofold.files import check_writable

    check_outside(path)
    for read in inputs:
        if read is not None and os.path.exists(path) and os.path.exists(read) and os.path.samefile(path, read):
            raise InputError("this file is read, so the result cannot replace it; name another file", path=path)
    check_writable(path)
