"""`twofold info`: what a collection holds and which encoder made its vectors."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json
from twofold.cli.tune import lexical_as_text

if TYPE_CHECKING:
    from twofold.collection.information import Info, SpaceInfo
    from twofold.index_report import IndexReport, OperatingPoint


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "info",
        run,
        does="show the contents of a collection and the encoder of its vectors",
        examples=("twofold info wiki.twofold", "twofold info wiki.twofold --json"),
    )
    parser.add_argument("collection", metavar="COLLECTION", help="the collection's folder")


def run(arguments: argparse.Namespace) -> int:
    """Prints what the collection says about itself."""
    from twofold.collection.opening import open_collection

    with open_collection(arguments.collection) as collection:
        info = collection.info()
    if arguments.json:
        print_json(info.to_json())
        return 0
    from twofold.cli.screens import Screen

    Screen().facts(facts_of(info))
    return 0


def said(index: IndexReport) -> str:
    """An index in a sentence: what it is, why, what it was measured to find and what it costs."""
    if index.reached is None:
        return f"{index.kind}: every search is exact ({index.why})"
    point, verdict = index.reached, "keeps" if index.kept else "does NOT keep"
    asked = f", asked at {len(index.checked)} efforts" if len(index.checked) > 1 else ""
    pieces = f" in {index.pieces} pieces" if index.pieces > 1 else ""
    gone = f", with {index.gone:,} deleted ones in its files" if index.gone else ""
    return (
        f"{index.kind} over {index.rows:,} passages{pieces}{gone} ({index.why}); recall@10 {point.recall:.3f} "
        f"[{point.low:.3f}, {point.high:.3f}], {verdict} the {index.promise:.3f} promised, "
        f"on half of {index.questions}{asked}, p50 {point.p50:.2f} ms, p99 {point.p99:.2f} ms{_behind_filters(index)}; "
        f"{index.bytes / 1e6:,.1f} MB"
    )


def index_as_text(index: IndexReport | None) -> list[str]:
    """What was built, and what to do where it does not find what was promised; nothing where nothing was built."""
    if index is None:
        return []
    advice = (
        "The promised recall was not reached. Allow more time (--latency), another kind (--index), or less recall "
        "(--recall): options of `twofold optimize`; or search exactly (optimize --index flat, or --exact in a search)."
    )
    return [f"index: {said(index)}", *([] if index.kept else [advice])]


def _behind_filters(index: IndexReport) -> str:
    said = ", ".join(
        f"{point.recall:.3f}{'' if point.holds(index.promise) else ' (BELOW)'} where {share:.1%} pass"
        for share, point in index.filtered
    )
    return f"; with filters {said}" if said else ""


def _measured(points: Sequence[OperatingPoint]) -> str:
    return "; ".join(
        f"{point.kind}{f' at effort {point.effort:,}' if point.effort else ''} {point.recall:.3f} in {point.p50:.2f} ms"
        for point in points
    )


def _space(space: SpaceInfo) -> str:
    state = "searched" if space.searched else "complete" if space.complete else "being filled"
    return f"{space.name} ({state}): {space.documents:,} documents, {space.passages:,} passages of {space.dimension}"


def facts_of(info: Info) -> dict[str, str]:
    """A collection's figures in words; what is zero and needs no attention is left out."""
    contract = info.contract
    facts = {
        "collection": info.path,
        "documents": f"{info.documents:,} ({_divided(info)})",
        "passages": f"{info.passages:,}",
        "without content": f"{info.without_vector:,} never found by dense search" if info.without_vector else "",
        "truncated": f"{info.truncated:,} documents, {info.tokens_cut:,} tokens not encoded" if info.truncated else "",
        "encoder": _encoder(info),
        "vectors": _vectors(info),
        "query prompt": repr(contract.query_prompt) if contract.query_prompt else "",
        "document prompt": repr(contract.document_prompt) if contract.document_prompt else "",
        "spaces": "; ".join(map(_space, info.spaces)) if len(info.spaces) > 1 else "",
        "rankings": f"{info.depth:,} documents deep",
        "on disk": f"{megabytes(sum(info.bytes.values()))}: "
        + ", ".join(f"{part} {megabytes(size)}" for part, size in info.bytes.items() if size),
        "index": said(info.index) if info.index else "",
        "tried": _measured(info.index.tried) if info.index else "",
        "checked": _measured(info.index.checked) if info.index and len(info.index.checked) > 1 else "",
        "lexical": lexical_as_text(info.lexical) if info.lexical else "",
        "held back": f"{megabytes(info.log_held_back)} of the log, by readers that hold an older commit"
        if info.log_held_back
        else "",
        "commit": f"{info.commit:,}",
    }
    return {name: said for name, said in facts.items() if said}


def _given(info: Info) -> bool:
    return bool(info.encoder["kind"] == "given-vectors")


def _divided(info: Info) -> str:
    if _given(info):
        return "one vector each"
    return "several passages for a long one" if info.passage_mode == "auto" else "one passage, cut at the length"


def _encoder(info: Info) -> str:
    if _given(info):
        return "none: the vectors were made elsewhere"
    source = info.encoder
    name = source.get("name") or ("all-MiniLM-L6-v2, embedded" if source["kind"] == "transformer" else source["kind"])
    return f"{name}; {info.precision}"


def _vectors(info: Info) -> str:
    contract = info.contract
    numbers = f"{contract.dimension} numbers, {contract.similarity}"
    return numbers if _given(info) else f"{numbers}, from {contract.max_tokens} tokens at most"


def megabytes(size: int) -> str:
    """A size on disk as people read it."""
    return f"{size / 1e6:,.1f} MB"
