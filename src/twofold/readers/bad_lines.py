"""Bad lines: an error at once, or counted, reported and skipped."""

from __future__ import annotations

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
