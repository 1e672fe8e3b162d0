"""JSON arrays of objects: one object at a time, however long the array is."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any

from twofold.errors import InputError
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import BYTE_ORDER_MARK, READING_ERRORS, PathLike, opened, shown, unreadable
from twofold.strict_json import parse_json
from twofold.values import type_names

AT_ONCE = 1 << 16
LONGEST = 1 << 28
"""Characters of one object."""
_FORM = "a JSON array holds objects, with commas between them"
_SPACE = " \t\r\n"


def begins_array(path: PathLike) -> bool:
    """Whether the first character of a file is the bracket that opens an array."""
    try:
        with opened(path) as file:
            head = file.read(AT_ONCE).removeprefix(BYTE_ORDER_MARK)
    except READING_ERRORS as error:
        raise unreadable(path, error) from error
    return head.lstrip(b" \t\r\n")[:1] == b"["


def array_records(path: PathLike, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line where it begins, object) for each object of the array.

    An element that is no object, or repeats a field, is a bad line. Raises InputError, naming file and line, where the
    array itself is broken or cut off.
    """
    for line, raw in _elements(path):
        try:
            value = parse_json(raw, hint=_FORM)
            if not isinstance(value, dict):
                raise InputError(f"a JSON {type_names[type(value)]}, not an object; {_FORM}")
        except InputError as error:
            bad.take(InputError(str(error), path=shown(path), line=line))
        else:
            yield line, value


def _elements(path: PathLike) -> Iterator[tuple[int, str]]:
    """(line, text) of each element."""
    try:
        with opened(path) as file:
            text = _Text(file, path)
            text.expect("[")
            if text.at("]"):
                return
            while True:
                yield text.element()
                if text.at("]"):
                    return
                text.expect(",")
    except READING_ERRORS as error:
        raise unreadable(path, error) from error


class _Text:
    """The characters of a file from a place on, of which those that were read are forgotten."""

    def __init__(self, file: IO[bytes], path: PathLike) -> None:
        self._file, self._path = file, path
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._held, self._place, self._line, self._ended = "", 0, 1, False

    def at(self, mark: str) -> bool:
        """Whether the next character that is no space is this one."""
        while True:
            while self._place < len(self._held) and self._held[self._place] in _SPACE:
                self._place += 1
            if self._place < len(self._held):
                return self._held[self._place] == mark
            if not self._more(AT_ONCE):
                return False

    def expect(self, mark: str) -> None:
        """Passes this character. Raises InputError where it is another."""
        if not self.at(mark):
            there = self._held[self._place : self._place + 1]
            raise self._broken(f"{mark!r} is missing before {there!r}" if there else "the array is cut off")
        self._place += 1

    def element(self) -> tuple[int, str]:
        """The value at this place, and its line. Raises InputError where there is none."""
        self.at("")
        while True:
            try:
                end = _decoder.raw_decode(self._held, self._place)[1]
            except (ValueError, RecursionError) as error:
                reason = str(error)
            else:
                if end < len(self._held) or self._ended:
                    break
                reason = ""
            # What is cut off may go on in the file; twice as much each time, or the time would grow with the square.
            long = len(self._held) - self._place
            if long > LONGEST or not self._more(max(AT_ONCE, long)):
                if not reason:
                    continue
                raise self._broken(f"no JSON: {reason}" if long <= LONGEST else "an element without an end")
        line = self._line + self._held.count("\n", 0, self._place)
        found, self._place = self._held[self._place : end], end
        return line, found

    def _more(self, count: int) -> bool:
        raw = self._file.read(count)
        try:
            read = self._decode(raw, final=not raw)
        except UnicodeDecodeError:
            raise self._broken("not UTF-8. Convert it to UTF-8 first") from None
        self._line += self._held.count("\n", 0, self._place)
        self._held, self._place = self._held[self._place :] + read, 0
        self._ended = not raw
        return bool(raw)

    def _broken(self, why: str) -> InputError:
        line = self._line + self._held.count("\n", 0, self._place)
        return InputError(f"{why}. {_FORM}", path=shown(self._path), line=line)


_decoder = json.JSONDecoder()
