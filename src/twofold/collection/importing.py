"""Importing from another vector store: its entries with their own vectors, and a check of whether rankings survived.

What could not come along is counted with its reason; nothing is left out in silence.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.block import LARGEST
from twofold.collection.building import build
from twofold.collection.guarding import given_encoder
from twofold.collection.own_vectors import Given, Own
from twofold.collection.ranking_differences import RankingDifference
from twofold.collection.surviving import Sampled, survived
from twofold.contract import Contract
from twofold.documents import Document, titled
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoding import encoded_to_compare
from twofold.errors import DocumentError, InputError
from twofold.progress import Progress
from twofold.protocols import AnyEncoder, Encoder
from twofold.readers.fields import Fields
from twofold.reports import AddReport
from twofold.scores import Similarity, Vectors, scaled, unit_vectors
from twofold.stores.entries import Description, Entry, ForeignStore
from twofold.stores.opening import opened_store
from twofold.values import plain

LENGTH = 1e-3
"""Vectors whose lengths differ from 1 by less have length 1: float16 and float32 round."""
TEXTS = 16
"""Texts that a named encoder encodes, to see whether the vectors are its own."""
SAME = 0.9
"""The median cosine of the store's vectors with the encoder's own, below which they are another encoder's. Another
runtime, or texts cut elsewhere, stay above it; another model is far below."""
EXAMPLES = 3


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of the entries of a store.

    kind, table, entries: of the store. documents: in the collection now. left_out: reason → entries that did not come
    along; changed: reason → entries that came along otherwise than they were; examples: reason → the first ids. notes:
    what else the store holds. cosine: the median cosine with the named encoder's own vectors; None without one.
    ranking: the first ten of stored vectors, in the store by exact search and here. added: counts of the addition.
    """

    kind: str
    table: str
    entries: int
    documents: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cosine: float | None = None
    ranking: RankingDifference | None = None
    added: AddReport = field(default_factory=AddReport)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        plain = {name: getattr(self, name) for name in ("kind", "table", "entries", "documents", "notes", "cosine")}
        counts = {"left_out": dict(self.left_out), "changed": dict(self.changed), "examples": self.examples}
        ranking = None if self.ranking is None else asdict(self.ranking)
        return {**plain, **counts, "ranking": ranking, "added": self.added.to_json()}


def import_from(
    source: str | Path,
    path: str | Path,
    *,
    encoder: AnyEncoder | None = None,
    similarity: Similarity | None = None,
    table: str | None = None,
    vector: str | None = None,
    fields: Fields | None = None,
    progress: Progress | bool = False,
) -> ImportReport:
    """Imports a folder of Chroma, LanceDB, FAISS with JSON, or LlamaIndex into a collection, with its own vectors.

    source: the store's folder. path: the collection, made if there is none; run again, it goes on. encoder: which made
    the vectors, so that texts can be asked; it encodes a few texts, and is refused where the vectors are not its own.
    Without one a question is a vector, or lexical. similarity: "cosine" or "dot"; by default as the store compares.
    table: the collection, table or file of documents, where there are several; vector: the column, of LanceDB; fields:
    which fields are id, title and text. progress: in documents.

    The report says what did not come along, and whether the store's own rankings survived. Raises InputError where the
    store cannot be read, has no vectors, or compares in a way that no similarity has; MissingExtraError without the
    store's package; what `add` raises.
    """
    store = opened_store(source, table, fields or Fields(), vector)
    about = store.about
    if not about.entries or not about.dimension:
        raise InputError(f"{about.kind}: {about.table} holds {about.entries:,} entries and no vectors", path=source)
    report = ImportReport(kind=about.kind, table=about.table, entries=about.entries, notes=list(about.notes))
    first = next(store.blocks(), [])
    made = None if encoder is None else given_encoder(encoder)
    if made is None:
        chosen: Encoder = GivenVectors(about.dimension, similarity=similarity or _similarity(about, first, source))
    else:
        chosen = _fitting(made, about, similarity)
        report.cosine = _median_cosine(chosen, first)
    importing = Importing(store, chosen.contract, report)
    collection, report.added = build(importing.entries(), path, encoder=chosen, vectors=importing, progress=progress)
    with collection:
        importing.check_count()
        report.documents = len(collection)
        report.ranking = survived(store, collection, importing.sampled)
    return report


class Importing(Given):
    """The entries of a store as documents, and their vectors beside them."""

    def __init__(self, store: ForeignStore, contract: Contract, report: ImportReport) -> None:
        super().__init__(f"{store.about.kind} {store.about.table}", None)  # some entries may be left out
        self._store = store
        self._contract = contract
        self._report = report
        self._vectors: deque[NDArray[np.float32]] = deque()
        self._read = 0
        self.sampled = Sampled(store.about.entries)

    def take(self, first: int, count: int) -> Own:
        """The vectors of the next documents; see own_vectors.Given."""
        rows = np.stack([self._vectors.popleft() for _ in range(count)])
        return Own(scaled(rows, self._contract.similarity, what=f"{self.name} from document {first} on"))

    def entries(self) -> Iterator[Document]:
        """The documents of all entries that can be stored; each one's vector waits for `take`."""
        for block in self._store.blocks():
            for entry in block:
                self._read += 1
                document, vector = self._document(entry), self._vector(entry)
                if document is not None and vector is not None:
                    self._vectors.append(vector)
                    self.sampled.see(vector)
                    yield document
        if self._read and self._report.left_out.total() == self._read:
            reasons = "; ".join(f"{count:,} {reason}" for reason, count in self._report.left_out.items())
            raise InputError(f"{self.name}: no entry could come along: {reasons}")

    def check_count(self) -> None:
        """Raises InputError where the store gave fewer entries, or more, than it counts."""
        if self._read != self._report.entries:
            raise InputError(
                f"{self.name} counts {self._report.entries:,} entries and gave {self._read:,}; the collection is "
                "incomplete"
            )

    def _vector(self, entry: Entry) -> NDArray[np.float32] | None:
        """The vector, if it can be stored; None after counting why not."""
        vector = entry.vector
        if vector is None or (lacking := self._lacking(vector)):
            self._lose("have no vector" if vector is None else lacking, entry)
            return None
        if self._contract.similarity == "cosine" and abs(_length(vector) - 1) >= LENGTH:
            self._change("had vectors of another length than 1, which are scaled to 1", entry)
        return vector

    def _lacking(self, vector: NDArray[np.float32]) -> str:
        """Why a vector cannot be stored; empty where it can."""
        dimension = self._contract.dimension
        if vector.shape != (dimension,):
            return f"have a vector of another shape than {dimension} numbers"
        if not np.isfinite(vector).all():
            return "have NaN or infinity in their vector"
        if self._contract.similarity == "cosine":
            return "" if _length(vector) else "have a vector of zeros, which has no direction"
        return f"have numbers beyond {LARGEST:,} in their vector" if np.abs(vector).max() > LARGEST else ""

    def _document(self, entry: Entry) -> Document | None:
        metadata = dict(entry.metadata)
        try:
            document = Document(entry.id, entry.text, entry.title, metadata)
        except DocumentError as error:
            kept = self._plain(metadata, entry)
            try:
                document = Document(entry.id, entry.text, entry.title, kept)
            except DocumentError:
                self._lose(f"cannot be documents ({error})", entry)
                return None
        if not document.has_content:
            self._change("have no text: they are found by vectors only", entry)
        return document

    def _plain(self, metadata: dict[str, Any], entry: Entry) -> dict[str, Any]:
        """The fields that a document can hold; the others are counted."""
        kept = {}
        for name, value in metadata.items():
            try:
                plain({name: value}, "metadata")
            except InputError as error:
                self._change(f"lost a field of their metadata: {error}", entry)
            else:
                kept[name] = value
        return kept

    def _lose(self, reason: str, entry: Entry) -> None:
        self._report.left_out[reason] += 1
        self._example(reason, entry)

    def _change(self, reason: str, entry: Entry) -> None:
        self._report.changed[reason] += 1
        self._example(reason, entry)

    def _example(self, reason: str, entry: Entry) -> None:
        examples = self._report.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(entry.id)


def _length(vector: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(vector.astype(np.float64)))


def _similarity(about: Description, first: Sequence[Entry], source: str | Path) -> Similarity:
    """That by which documents rank as the store ranks them. Raises InputError where there is none."""
    if about.metric != "l2":
        return about.metric
    lengths = [float(np.linalg.norm(each.vector)) for each in first if each.vector is not None]
    if lengths and max(abs(length - 1) for length in lengths) < LENGTH:
        return "cosine"  # of vectors of length 1 the nearest have the greatest cosine
    raise InputError(
        f"{about.kind} compares these vectors by their Euclidean distance, and their lengths differ from 1 "
        f"({min(lengths, default=0):.3g} to {max(lengths, default=0):.3g}), so neither cosines nor dot products rank "
        "them alike; choose --similarity cosine or dot (Python: similarity=…), and see how much the rankings change",
        path=source,
    )


def _fitting(encoder: Encoder, about: Description, similarity: Similarity | None) -> Encoder:
    """The encoder, if its vectors could be these. Raises InputError."""
    contract = encoder.contract
    if contract.dimension != about.dimension:
        raise InputError(
            f"{about.kind} holds vectors of {about.dimension} numbers, and this encoder makes {contract.dimension}; "
            "name the one that made them, or none"
        )
    if similarity not in (None, contract.similarity):
        raise InputError(f"this encoder compares by {contract.similarity}, not by {similarity}; leave one of both out")
    return encoder


def _median_cosine(encoder: Encoder, first: Sequence[Entry]) -> float | None:
    """The median cosine of the first vectors with what the encoder makes of their texts; None without texts.

    Raises InputError where the vectors are not the encoder's.
    """
    some = [each for each in first if each.text.strip() and each.vector is not None and each.vector.any()][:TEXTS]
    if not some:
        return None
    theirs = unit_vectors(np.stack([each.vector for each in some if each.vector is not None]))
    own: Vectors = encoded_to_compare(encoder, "document", [titled(each.title, each.text) for each in some], None)
    cosine = float(np.median(np.einsum("ij,ij->i", theirs, unit_vectors(own))))
    if cosine < SAME:
        raise InputError(
            f"these vectors are not this encoder's: it makes others of the same texts (median cosine {cosine:.3f} of "
            f"{len(some)} texts); name the one that made them, or none"
        )
    return cosine
