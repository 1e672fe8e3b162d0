"""The options that say how documents are divided into passages."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from twofold.cli.options import at_least_one, count

CONTEXTS = ("none", "title", "headings", "document")
"""Those of contract.py, which loads numpy."""

if TYPE_CHECKING:
    from twofold.passages.sizes import PassageMode


def add_passage_options(group: Any) -> None:
    """--passages, --passage-tokens, --passage-overlap and --passage-context."""
    group.add_argument(
        "--passages",
        choices=["auto", "none"],
        help="auto (the default): several vectors for a long document; none: one, truncated at the encoder's length",
    )
    group.add_argument(
        "--passage-tokens",
        type=at_least_one,
        metavar="N",
        help="passages of at most N tokens, title included, that end where paragraphs and sentences do, if possible",
    )
    group.add_argument(
        "--passage-overlap",
        type=count,
        metavar="N",
        help="tokens that a passage repeats of the one before it, at most (an eighth of --passage-tokens)",
    )
    add_context_option(group, "title")


def add_context_option(group: Any, otherwise: str) -> None:
    """--passage-context. otherwise: the context where nothing is said."""
    group.add_argument(
        "--passage-context",
        choices=list(CONTEXTS),
        help="what a passage of a longer document is encoded with: none, its document's title, also the headings above "
        f"it, or the document around it ({otherwise})",
    )


def passages_of(arguments: argparse.Namespace) -> PassageMode | None:
    """The setting that the options ask for; None where they say nothing."""
    tokens, overlap = arguments.passage_tokens, arguments.passage_overlap
    if tokens is None:
        if overlap is not None:
            arguments.misuse("--passage-overlap goes with --passage-tokens")
        mode: PassageMode | None = arguments.passages
        return mode
    if arguments.passages is not None:
        arguments.misuse("--passages and --passage-tokens are two ways to divide documents; give one of them")
    return {"tokens": tokens} if overlap is None else {"tokens": tokens, "overlap": overlap}
