"""What the encoder reads for each passage beside its text: a title, headings, or nothing.

It is part of no stored text and of no span.
"""

from __future__ import annotations

from collections.abc import Sequence

from twofold.contract import USUAL_CONTEXT, Context
from twofold.documents import titled
from twofold.errors import InputError
from twofold.outline import Heading, heading_paths, headings
from twofold.passages.sizes import PassageMode, sizes_of
from twofold.protocols import SpanEncoder, TokenSpans

BETWEEN = ". "
"""Between a title and headings."""


def check_context(context: Context, mode: PassageMode, encoder: object) -> None:
    """Raises InputError where passages of these sizes cannot have this context, or the encoder cannot give it."""
    if context == USUAL_CONTEXT:
        return
    if not isinstance(encoder, TokenSpans):
        raise InputError(
            f"the context {context!r} needs an encoder that says how it reads a text as tokens, and this one does not; "
            "leave the context out: each document is one passage"
        )
    if context != "document":
        return
    if sizes_of(mode) is None:
        raise InputError(
            "the context 'document' needs passages that are shorter than what the encoder reads at once: "
            "passages={'tokens': 128}, or --passage-tokens 128"
        )
    if not isinstance(encoder, SpanEncoder):
        raise InputError("the context 'document' needs an encoder with the method encode_spans, and this one has none")
    encoder.check_spans()


def longest_paths(text: str) -> list[str]:
    """The headings under which passages of a text may stand, as they are put before them; the longest is among them."""
    starts = sorted({heading.end for heading in headings(text)})
    return sorted({_said(path) for path in heading_paths(text, starts)})


def paths_before(text: str, starts: Sequence[int]) -> list[str]:
    """For each passage what is put before it of the headings under which it stands, but for those with which it begins.

    starts: where the passages begin, ascending, in characters.
    """
    paths = heading_paths(text, starts)
    return [
        _said([heading for heading in path if heading.start < start]) for path, start in zip(paths, starts, strict=True)
    ]


def before(title: str, path: str, text: str) -> str:
    """The encoder's input for a passage under headings."""
    if not path:
        return titled(title, text)
    # The highest heading often is the title.
    alike = not title or path == title or path.startswith(f"{title}{BETWEEN}")
    return titled(path if alike else f"{title}{BETWEEN}{path}", text)


def _said(path: Sequence[Heading]) -> str:
    return BETWEEN.join(heading.title for heading in path if heading.title)
