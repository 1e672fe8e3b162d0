"""What reading and adding did, in words: everything counted that is not zero, and what to do about it."""

from __future__ import annotations

import shlex
from typing import Any

from twofold.cli.output import count_of, visible
from twofold.reports import AddReport, EncodingReport, ReadReport


def added_as_text(report: AddReport, seconds: float, collection: str, *, given: bool = False) -> list[str]:
    """The lines that `index` and `add` end with; the first says the most.

    seconds: how long it took; collection: its folder as the user wrote it; given: whether the vectors were.
    """
    lines = [f"{_what_became(report)} in {seconds:,.1f} s{_speed(report, seconds)}"]
    if report.passages:
        added = f"{count_of(report.passages, 'vector')} added"
        lines.append(added if given else f"{count_of(report.passages, 'passage')} encoded")
    if report.metadata_only:
        lines.append(f"{count_of(report.metadata_only, 'document')} with new metadata only: vectors kept")
    if report.duplicates:
        lines.append(f"{count_of(report.duplicates, 'duplicate id')}: the last one is stored")
    if report.title_only:
        lines.append(f"{count_of(report.title_only, 'document')} without text: the title was encoded")
    if report.without_content:
        lines.append(
            f"{count_of(report.without_content, 'document')} without text and title: kept, never found by dense search"
        )
    if report.truncated:
        lines.append(
            f"{count_of(report.truncated, 'document')} truncated, {count_of(report.tokens_cut, 'token')} that no "
            f"vector covers; find them: `twofold list {shlex.quote(collection)} --where '{{\"$truncated\": true}}'`"
        )
    if report.analyser and not report.analyser.startswith("english"):
        lines.append(
            f"lexical search: analyser {report.analyser}; another: "
            f"`twofold tune {shlex.quote(collection)} --analyser NAME`"
        )
    return lines


def skipped_as_text(report: ReadReport) -> list[str]:
    """How many records were skipped, with the first reasons; nothing where none was."""
    if not report.skipped:
        return []
    # Of lines the first few; every file, since a file is more than a line.
    files = [f"{visible(name)}: {reason}" for name, reason in report.unread.items()]
    reasons = list(dict.fromkeys([*files, *map(visible, report.reasons)]))
    more = report.skipped - len(reasons)
    what = "file" if len(files) == report.skipped else "bad record"
    return [
        f"{count_of(report.skipped, what)} skipped:",
        *(f"  {reason}" for reason in reasons),
        *([f"  and {more:,} more"] if more > 0 else []),
    ]


def left_out_as_text(report: ReadReport) -> list[str]:
    """The files of folders that were not read, by kind with an example each; nothing where all were."""
    kinds = sorted(report.left_out.items(), key=lambda item: (-item[1], item[0]))
    each = [f"{count:,} {kind} (such as {report.examples[kind]})" for kind, count in kinds]
    return [f"{count_of(sum(report.left_out.values()), 'file')} not read: {', '.join(each)}"] if each else []


def left_out_as_json(report: ReadReport) -> dict[str, Any]:
    """The same for machines: kind → count and example."""
    return {kind: {"count": count, "example": report.examples[kind]} for kind, count in report.left_out.items()}


def encoded_as_text(report: EncodingReport, seconds: float) -> list[str]:
    """The lines that `encode` ends with."""
    speed = f", {report.texts / seconds:,.0f} a second" if report.texts and seconds > 0 else ""
    speed += f" ({count_of(round(report.tokens / seconds), 'token')})" if speed else ""
    lines = [f"{count_of(report.texts, 'text')}, {count_of(report.tokens, 'token')} in {seconds:,.1f} s{speed}"]
    if report.cut:
        lines.append(f"{count_of(len(report.cut), 'text')} cut, {count_of(report.tokens_cut, 'token')} not encoded")
    if report.surrogates:
        lines.append(f"{count_of(report.surrogates, 'lone surrogate')} replaced by U+FFFD")
    return lines


def _what_became(report: AddReport) -> str:
    counts = {"added": report.added, "replaced": report.replaced, "unchanged": report.unchanged}
    said = [f"{number:,} {word}" for word, number in counts.items() if number]
    return f"{count_of(report.documents, 'document')}: {', '.join(said)}" if said else "no documents"


def _speed(report: AddReport, seconds: float) -> str:
    if not report.documents or seconds <= 0:
        return ""
    return f" ({count_of(round(report.documents / seconds), 'document')} a second)"
