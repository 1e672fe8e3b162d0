"""The figures of a collection: counts, sizes, settings, index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from twofold.addresses import name_of
from twofold.collection.lexical_report import LexicalReport
from twofold.collection.placing import located, lost
from twofold.collection.settings import Settings
from twofold.contract import USUAL_CONTEXT, Context, Contract
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import TwofoldError
from twofold.index_report import IndexReport
from twofold.passages.sizes import PassageMode, sizes_of
from twofold.space import Space
from twofold.tables import count_of, facts_as_html

CONTEXTS: dict[Context, str] = {
    "none": "none: a passage is encoded alone, the first one with the title",
    "title": "",
    "headings": "headings: a passage is encoded with the title and the headings above it",
    "document": "document: a passage is encoded with the text around it",
}
"""What is said of the context of passages; nothing of the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceInfo:
    """The figures of one space.

    name: as `migrate`, `switch_space` and `drop_space` take it. searched: whether it is the default one. complete:
    whether every document is in it; documents: how many are. passages: its vectors, or rows of up to eight vectors of
    tokens. dimension: numbers a vector; numbers: how these are stored ("float16", "4-bit", "2-bit"). bytes: of the
    vectors of all documents. encoder: the source from which it is loaded. context: what its passages are encoded with.
    """

    name: str
    searched: bool
    complete: bool
    documents: int
    passages: int
    dimension: int
    numbers: str
    bytes: int
    encoder: Mapping[str, Any]
    context: Context = USUAL_CONTEXT

    @property
    def of_tokens(self) -> bool:
        """Whether it holds the vectors of tokens."""
        return self.numbers != "float16"

    @property
    def bytes_a_document(self) -> float:
        """Bytes of vectors, for a document in the mean."""
        return self.bytes / max(1, self.documents)

    def __str__(self) -> str:
        state = "searched" if self.searched else "complete" if self.complete else "being filled"
        if self.of_tokens:
            return f"{self.name} ({state}): {self.documents:,} documents, vectors of {self.dimension} in {self.numbers}"
        context = f", context {self.context}" if self.context != USUAL_CONTEXT else ""
        counts = f"{self.documents:,} documents, {self.passages:,} passages of {self.dimension}"
        return f"{self.name} ({state}): {counts}{context}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Info:
    """One commit of a collection in figures.

    path: the folder, or the address. commit: its number, counted from 0. documents, passages: live ones.
    without_vector: documents without a passage. truncated: documents whose vectors leave out some of their text;
    tokens_cut: tokens left out in all. passage_mode, depth: the settings (`Settings`). contract: of the space that is
    searched. precision: with which its vectors were computed. format: version of the format on disk. created: ISO time,
    UTC. encoder: the source from which it is loaded. bytes: on disk, by part. log_held_back: bytes of SQLite's log that
    readers of older commits keep from being merged. index: the approximate index with its measured recall; None if
    search is exact. lexical: the settings of the lexical index and of fusion; None where there is no lexical index.
    spaces: all of them.
    """

    path: str
    commit: int
    documents: int
    passages: int
    without_vector: int
    truncated: int
    tokens_cut: int
    passage_mode: PassageMode
    depth: int
    contract: Contract
    precision: str
    format: int
    created: str
    encoder: Mapping[str, Any]
    bytes: Mapping[str, int]
    log_held_back: int
    index: IndexReport | None
    lexical: LexicalReport | None
    spaces: tuple[SpaceInfo, ...]

    def facts(self) -> dict[str, str]:
        """The figures in words, by name; what is zero and needs no attention is left out."""
        contract, index = self.contract, self.index
        cut = f"{self.truncated:,} documents, {self.tokens_cut:,} tokens not encoded"
        numbers = f"{contract.dimension} numbers, {contract.similarity}"
        given = self.encoder["kind"] == "given-vectors"
        gone = ", which is not there: give its place with --encoder" if lost(self.encoder) else ""
        sizes = sizes_of(self.passage_mode)
        long = "several passages for a long one" if self.passage_mode == "auto" else "one passage, cut at the length"
        if sizes is not None:
            long = f"passages of up to {sizes.tokens} tokens, {sizes.overlap} of them repeated"
        facts = {
            "collection": self.path,
            "documents": f"{self.documents:,} ({'one vector each' if given else long})",
            "passages": f"{self.passages:,}",
            "without content": f"{self.without_vector:,} never found by dense search" if self.without_vector else "",
            "truncated": cut if self.truncated else "",
            "encoder": encoder_name(self.encoder) if given else f"{encoder_name(self.encoder)}{gone}; {self.precision}",
            "vectors": f"{numbers}, from {contract.max_tokens} tokens at most" if contract.max_tokens else numbers,
            "context": CONTEXTS[contract.context],
            "query prompt": repr(contract.query_prompt) if contract.query_prompt else "",
            "document prompt": repr(contract.document_prompt) if contract.document_prompt else "",
            "spaces": "; ".join(map(str, self.spaces)) if len(self.spaces) > 1 else "",
            "token vectors": self._tokens(),
            "rankings": f"{self.depth:,} documents deep",
            "on disk": f"{_megabytes(sum(self.bytes.values()))}: "
            + ", ".join(f"{part} {_megabytes(size)}" for part, size in self.bytes.items() if size),
            "index": str(index) if index else "",
            "tried": "; ".join(map(str, index.tried)) if index else "",
            "checked": "; ".join(map(str, index.checked)) if index and len(index.checked) > 1 else "",
            "lexical": str(self.lexical) if self.lexical else "",
            "pipeline": str(self.lexical.pipeline) if self.lexical and self.lexical.pipeline else "",
            "held back": f"{_megabytes(self.log_held_back)} of the log, by readers that hold an older commit"
            if self.log_held_back
            else "",
            "commit": f"{self.commit:,}",
        }
        return {name: said for name, said in facts.items() if said}

    def _tokens(self) -> str:
        """The size of token vectors beside that of the dense vectors; empty without any."""
        dense = next(space for space in self.spaces if space.searched)
        for space in self.spaces:
            if space.of_tokens:
                filled = "" if space.complete else f", of {space.documents:,} documents so far"
                sizes = (
                    f"{space.bytes_a_document:,.0f} bytes a document, {dense.bytes_a_document:,.0f} of dense vectors"
                )
                numbers = f"{space.dimension} numbers in {space.numbers.replace('-', ' ')}"
                return f"{encoder_name(space.encoder)}; {numbers}s, {sizes}{filled}"
        return ""

    def __repr__(self) -> str:
        counts = f"{count_of(self.documents, 'document')}, {count_of(self.passages, 'passage')}, commit {self.commit:,}"
        return f"<Info {name_of(self.path)}: {counts}>"

    def _repr_html_(self) -> str:
        return facts_as_html(name_of(self.path), self.facts())

    def to_json(self) -> dict[str, Any]:
        """All figures as JSON values."""
        index = None if self.index is None else self.index.to_json()
        lexical = None if self.lexical is None else self.lexical.to_json()
        return {**asdict(self), "contract": self.contract.to_json(), "index": index, "lexical": lexical}


def describe(engine: Engine, snapshot: EngineSnapshot, contract: Contract, settings: Settings) -> Info:
    """The figures of one snapshot."""
    counts, facts = snapshot.counts, engine.facts()
    return Info(
        path=str(engine.path),
        commit=snapshot.commit,
        documents=counts.documents,
        passages=counts.passages,
        without_vector=snapshot.without_passages(),
        truncated=counts.truncated,
        tokens_cut=counts.tokens_cut,
        passage_mode=settings.passages,
        depth=settings.depth,
        contract=contract,
        precision=snapshot.space.precision,
        encoder=located(snapshot.space.source, engine.path),
        format=facts.format,
        created=facts.created,
        bytes=facts.bytes,
        log_held_back=facts.log_held_back,
        index=snapshot.index(),
        lexical=LexicalReport.of(snapshot),
        spaces=tuple(_described(engine, snapshot, space) for space in snapshot.spaces),
    )


def in_short(engine: Engine) -> str:
    """A collection in one line. What cannot be read, as after `close`, is said, not raised: this is for a repr."""
    try:
        with engine.snapshot() as snapshot:
            documents, encoder = snapshot.counts.documents, encoder_name(located(snapshot.space.source, engine.path))
    except (TwofoldError, OSError) as error:
        return f"<Collection {engine.path.name}: {error}>"
    return f"<Collection {engine.path.name}: {count_of(documents, 'document')}, {encoder}>"


def in_short_as_html(engine: Engine) -> str:
    """A collection in a few lines for a notebook; as `in_short` where it cannot be read."""
    try:
        with engine.snapshot() as snapshot:
            counts, index, lexical = snapshot.counts, snapshot.index(), LexicalReport.of(snapshot)
            encoder = encoder_name(located(snapshot.space.source, engine.path))
    except (TwofoldError, OSError):
        return f"<p>{escape(in_short(engine))}</p>"
    by = "dense" if lexical is None else "dense or lexical" if lexical.fusion is None else "hybrid"
    facts = {
        "path": str(engine.path),
        "documents": f"{counts.documents:,} in {count_of(counts.passages, 'passage')}",
        "encoder": encoder,
        "search": by if lexical is None else f"{by}; lexical by the analyser {lexical.settings.analyser}",
        "index": "none, every search is exact" if index is None else index.in_short,
    }
    return facts_as_html(engine.path.name, facts)


def encoder_name(source: Mapping[str, Any]) -> str:
    """What an encoder is called. source: the values from which it is loaded."""
    name, kind = source.get("name") or source.get("object") or source.get("model"), str(source["kind"])
    if kind == "given-vectors":
        return "none: the vectors were made elsewhere"
    return str(name) if name else "all-MiniLM-L6-v2, embedded" if kind in ("transformer", "token vectors") else kind


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _described(engine: Engine, snapshot: EngineSnapshot, space: Space) -> SpaceInfo:
    counts = snapshot.counted(space.name)
    return SpaceInfo(
        name=space.name,
        searched=space.name == snapshot.space.name,
        complete=counts.complete,
        documents=counts.documents,
        passages=counts.passages,
        dimension=space.dimension,
        numbers=space.numbers,
        bytes=counts.passages * space.words * space.dtype.itemsize,
        encoder=located(space.source, engine.path),
        context=Contract.from_json(space.contract).context,
    )
