"""--verbose: what the library logs, as lines on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from twofold.cli.output import say
from twofold.logs import ROOT


class _Lines(logging.Handler):
    """Each record on a line of its own; a bar that stands there moves down, since rich replaces standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record."""
        say(self.format(record))


@contextmanager
def logged(times: int) -> Iterator[None]:
    """Shows what is logged within a block: INFO and warnings; DEBUG too where the option was given twice."""
    logger = logging.getLogger(ROOT)
    lines, before = _Lines(), logger.level
    lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logger.addHandler(lines)
    logger.setLevel(logging.INFO if times == 1 else logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(lines)
