"""Vectors out of files: a .npy of one vector a line, which is mapped, and a single vector, also as JSON."""

from __future__ import annotations

import io
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np

from twofold.errors import InputError, VectorError
from twofold.readers.opening import BYTE_ORDER_MARK, PathLike, decoded, shown, whole
from twofold.strict_json import parse_json

NPY = b"\x93NUMPY"
"""The first bytes of every .npy file."""
HINT = "A vector is a .npy file or a JSON list of numbers, such as [0.1, -0.2]"

# numpy reads the header as a Python literal and believes the shape in it.
_NPY_ERRORS = (OSError, ValueError, EOFError, BadZipFile, TypeError, OverflowError, RecursionError, TokenError)


def mapped_vectors(path: str | Path) -> Any:
    """The array (n, dimension) of a .npy file, mapped, not loaded. Raises VectorError, naming the file."""
    try:
        with np.errstate(over="ignore"):  # a header may claim any number of lines; mapping them fails
            lines = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise VectorError("there is no such file", path=path) from None
    except _NPY_ERRORS as error:
        raise VectorError(f"this is no .npy file of vectors ({error})", path=path) from None
    if isinstance(lines, np.ndarray):
        if lines.ndim != 2:
            raise VectorError(f"one vector a line is needed; these numbers have the shape {lines.shape}", path=path)
        return lines
    with lines:
        names = ", ".join(lines.files) or "none"
        name = lines.files[0] if lines.files else "name"
    raise VectorError(
        f"an .npz archive of arrays ({names}), and one array in a .npy file is needed: "
        f"np.save('vectors.npy', np.load({str(path)!r})[{name!r}])",
        path=path,
    )


def read_vector(path: PathLike) -> Any:
    """One vector of a file, or of standard input (`-`): an array (dimension,) of numbers.

    The file is a .npy of the shape (dimension,) or (1, dimension), or a JSON list of numbers. Raises InputError,
    naming the file.
    """
    content, name = whole(path), shown(path)
    if content.startswith(NPY):
        try:
            vector = np.load(io.BytesIO(content), allow_pickle=False)
        except _NPY_ERRORS as error:
            raise VectorError(f"this is no .npy file of a vector ({error})", path=name) from None
    else:
        vector = np.array(_listed(content, name))
    if vector.ndim == 2 and len(vector) == 1:
        vector = vector[0]
    if vector.ndim != 1 or vector.dtype.kind not in "fiu":
        raise VectorError(
            f"one vector is needed, a line of numbers; this is {vector.dtype} of the shape {vector.shape}", path=name
        )
    return vector


def _listed(content: bytes, name: str) -> list[float]:
    text = decoded(content.removeprefix(BYTE_ORDER_MARK), name).strip()
    try:
        values = parse_json(text, hint=HINT)
    except InputError as error:
        raise VectorError(str(error), path=name) from None
    if not isinstance(values, list) or not all(type(each) in (int, float) for each in values):
        raise VectorError(f"this is JSON, but no list of numbers. {HINT}", path=name)
    try:
        return [float(each) for each in values]
    except OverflowError:
        raise VectorError("a number in it is too large", path=name) from None
