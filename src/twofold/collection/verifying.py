"""Verifying a collection with its derived data, and rebuilding what is damaged."""

from __future__ import annotations

from twofold.engine import Ask, Engine
from twofold.progress import Progress
from twofold.reports import VerifyReport


def verified(engine: Engine, ask: Ask, progress: Progress, *, repair: bool) -> VerifyReport:
    """Verifies everything; with repair, damaged derived data is rebuilt.

    Raises what the engine raises.
    """
    report = engine.verify(progress)
    if repair and any(damage.derived for damage in report.damage):
        with engine.writing() as writer:
            writer.repair(report, ask, progress)
    return report
