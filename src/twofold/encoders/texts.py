"""Checks of texts and additions to reports, for every encoder."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.errors import InputError
from twofold.reports import EncodingReport


def check_texts(texts: Sequence[str]) -> None:
    """Raises InputError unless `texts` is a sequence of strings."""
    if isinstance(texts, str | bytes):
        raise InputError("encoding takes a list of texts; put a single text in a list")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {position} is of the type {type(text).__name__}, not a string")


def add_to(report: EncodingReport, counts: EncodingReport) -> None:
    """Adds the counts of one call to its caller's report; positions continue after earlier texts."""
    report.cut.update({report.texts + position: lost for position, lost in counts.cut.items()})
    report.texts += counts.texts
    report.tokens += counts.tokens
    report.surrogates += counts.surrogates
