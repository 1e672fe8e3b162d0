"""Opening sources: a file, plain or compressed, or standard input, as numbered lines of bytes.

Every reader of this package gets its bytes here, so that missing, truncated and unreadable files raise the same kind of
error.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from twofold.errors import InputError

STANDARD_INPUT = "-"
COMPRESSED = (".gz", ".xz")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
BUFFER_BYTES = 1 << 20
READING_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError)

PathLike = str | os.PathLike[str]


def shown(path: PathLike) -> str:
    """The path as messages name it."""
    return "standard input" if os.fspath(path) == STANDARD_INPUT else os.fspath(path)


def bare_suffix(path: PathLike) -> str:
    """The suffix below .gz or .xz, in small letters: `.csv` for `a/b.CSV.gz`; empty where there is none."""
    return unpacked_name(path).suffix.lower()


def unpacked_name(path: PathLike) -> Path:
    """The path without .gz or .xz."""
    name = Path(path)
    return name.with_suffix("") if name.suffix.lower() in COMPRESSED else name


def either_form(folder: Path, name: str) -> Path | None:
    """`folder/name`, or its .gz or .xz form where only that is there; None where there is neither."""
    forms = (folder / f"{name}{ending}" for ending in ("", *COMPRESSED))
    return next((form for form in forms if form.is_file()), None)


def numbered_lines(path: PathLike, encoding: str | None = None) -> Iterator[tuple[int, bytes]]:
    """(number from 1, bytes with the line end) for each line; a UTF-8 byte order mark at the start is left out.

    encoding: of the file, where it is not UTF-8; the bytes that come are UTF-8 all the same. `-` is standard input, .gz
    and .xz are unpacked on the way. Lines end at a line feed, nowhere else. Raises InputError, naming the file, where
    it is missing, cut off, damaged or may not be read.
    """
    number = 0
    try:
        with opened(path) as file:
            for line in file if encoding is None else _recoded(file, encoding):
                number += 1
                yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    except READING_ERRORS as error:
        raise unreadable(path, error, number) from error
    except UnicodeError as error:
        raise InputError(f"not {encoding} after line {number} ({error})", path=shown(path)) from None


def _recoded(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The lines of a file as UTF-8."""
    text = io.TextIOWrapper(file, encoding, newline="\n")
    try:
        for line in text:
            yield line.encode()
    finally:
        text.detach()  # standard input stays open


def decoded(raw: bytes, path: PathLike, line: int | None = None) -> str:
    """The bytes as UTF-8 text; InputError, naming file, line and byte, where they are none."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        hint = "; it looks like UTF-16" if raw.startswith(UTF_16_MARKS) else ""
        raise InputError(
            f"not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1}{hint}. Convert it to UTF-8 first",
            path=shown(path),
            line=line,
        ) from None


@contextmanager
def opened(path: PathLike) -> Iterator[IO[bytes]]:
    """The unpacked bytes of a file, or of standard input, which stays open afterwards."""
    if os.fspath(path) == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    match Path(path).suffix.lower():
        # gzip and lzma look for line ends in Python; a buffer around them does it in C.
        case ".gz":
            with gzip.open(path) as packed, io.BufferedReader(packed, BUFFER_BYTES) as file:
                yield file
        case ".xz":
            with lzma.open(path) as unpacked, io.BufferedReader(unpacked, BUFFER_BYTES) as file:
                yield file
        case _:
            with open(path, "rb", buffering=BUFFER_BYTES) as plain:
                yield plain


def whole(path: PathLike) -> bytes:
    """All bytes of a file, unpacked. Raises InputError, naming the file, where it cannot be read."""
    try:
        with opened(path) as file:
            return file.read()
    except READING_ERRORS as error:
        raise unreadable(path, error) from error


def unreadable(path: PathLike, error: Exception, line: int | None = None) -> InputError:
    """The error for a file that cannot be read (after a line), in words."""
    place = f" after line {line}" if line else ""
    match error:
        case EOFError():
            why = f"the compressed file is cut off{place}; get it again"
        case gzip.BadGzipFile() | zlib.error() | lzma.LZMAError():
            why = f"the compressed file is damaged{place} ({error}); get it again"
        case OSError():
            why = f"cannot be read{place}: {error.strerror or error}"
        case _:
            why = f"cannot be read{place}: {error}"
    return InputError(why, path=shown(path))
