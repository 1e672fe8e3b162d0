"""Loggers: `twofold`, and one below it for each module that logs. A program decides whether and where they are shown.

INFO: what changed a collection, and what it cost. DEBUG: each commit, each loaded encoder. WARNING: what was left out
or recovered. Texts of documents and queries are never logged.
"""

from __future__ import annotations

import logging

ROOT = "twofold"
# Without a handler Python would print warnings to standard error.
logging.getLogger(ROOT).addHandler(logging.NullHandler())


def logger_of(module: str) -> logging.Logger:
    """The logger of a module. module: its `__name__`."""
    return logging.getLogger(module)
