"""Bad lines: an error at once, or counted, reported and skipped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from twofold.errors import InputError
from twofold.reports import ReadReport


@dataclass(frozen=True, slots=True)
class BadLines:
    """The rule for bad lines of one reading.

    skip: False raises the first one; True counts each in the report, with its reason, and goes on.
    """

    skip: bool = False
    report: ReadReport = field(default_factory=ReadReport)

    def take(self, error: InputError) -> None:
        """Raises the error, or counts it."""
        if not self.skip:
            raise error
        self.report.skip(str(error))

    def take_file(self, path: str | os.PathLike[str], error: InputError) -> None:
        """Raises the error of a whole file, or counts it; either names the file, in characters that can be printed."""
        # A name may hold line ends and bytes that are no UTF-8.
        name = ascii(os.fspath(path))[1:-1] if not _printable(path) else os.fspath(path)
        if not self.skip:
            raise InputError(str(error), path=name) if error.path is None else error
        self.report.skip_file(name, str(error).removeprefix(f"{error.path}: "))


def _printable(path: str | os.PathLike[str]) -> bool:
    name = os.fspath(path)
    return name.isprintable()
