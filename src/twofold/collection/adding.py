"""Adding documents: block by block, encode what is new, commit, continue. What a commit acknowledged is durable."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from twofold.block import Block, Known, Part
from twofold.collection.guarding import Encoders, GuardedEncoder
from twofold.collection.own_vectors import Given, Own
from twofold.collection.parts import encoded, encoded_tokens, kept
from twofold.collection.reusing import stored_rows, stored_vectors
from twofold.collection.seen import Seen
from twofold.collection.suiting import unsuited
from twofold.documents import Document, as_documents
from twofold.engine import Engine, EngineWriter
from twofold.errors import DocumentError, InputError, VectorError
from twofold.logs import logger_of
from twofold.passages.sizes import PassageMode
from twofold.progress import Progress, TokenProgress
from twofold.reports import AddReport, EncodingReport
from twofold.scores import Numbers
from twofold.space import Space

logger = logger_of(__name__)

ENCODED_AT_ONCE = 256
"""Documents a commit that are encoded: enough to fill batches of one length, few enough that Ctrl-C loses little."""
GIVEN_AT_ONCE = 1_000
"""Documents a commit, if their vectors are given: then syncing is the main cost."""


class Adding:
    """One call of `add`: its documents, and the counts so far."""

    def __init__(self, engine: Engine, encoders: Encoders, mode: PassageMode, given: Given | None) -> None:
        self._engine = engine
        self._encoders = encoders
        self._encoder = encoders.default
        self._mode = mode
        self._given = given
        self._taken = 0
        self._looked = False
        self._encoded = EncodingReport()
        self.report = AddReport()

    def run(self, documents: Any, writer: EngineWriter, progress: Progress) -> AddReport:
        """Adds all documents; every block is acknowledged before the next one is read."""
        documents = [documents] if isinstance(documents, Mapping) else documents  # one document, not its fields
        total = len(documents) if hasattr(documents, "__len__") else None
        self._check_count(total)
        with Seen() as seen:
            for block in _blocks(
                as_documents(documents, text_required=self._given is None),
                ENCODED_AT_ONCE if self._given is None else GIVEN_AT_ONCE,
            ):
                if len(block) < GIVEN_AT_ONCE:
                    self._check_count(self._taken + len(block))  # It is the last one, and nothing of it is stored yet.
                self._add(block, writer, seen)
                if isinstance(progress, TokenProgress):
                    progress.encoded(self.report.tokens)
                progress(self._taken, total)
        self._check_count(self._taken)
        report = self.report
        logger.info(
            "%s: %d documents added, %d replaced, %d unchanged",
            self._engine.path,
            report.added,
            report.replaced,
            report.unchanged,
        )
        if report.truncated:
            logger.warning(
                "%s: %d documents truncated, %d tokens not encoded",
                self._engine.path,
                report.truncated,
                report.tokens_cut,
            )
        return report

    def _check_count(self, documents: int | None) -> None:
        """One given vector a document, no more and no fewer."""
        there = None if self._given is None else self._given.documents
        if self._given is not None and documents is not None and there is not None and there != documents:
            raise VectorError(
                f"{self._given.name} holds {there} vectors for {documents} documents; "
                "give one vector a document, in the same order"
            )

    def _add(self, block: list[Document], writer: EngineWriter, seen: Seen) -> None:
        vectors = self._next_vectors(len(block))
        self._taken += len(block)
        last = {document.id: position for position, document in enumerate(block)}
        self.report.duplicates += seen.again([document.id for document in block])
        positions = sorted(last.values())
        documents = [block[position] for position in positions]
        given = None if vectors is None else vectors.of(positions)
        self._commit(documents, given, writer)

    def _next_vectors(self, count: int) -> Own | None:
        if self._given is None:
            return None
        there = self._given.documents
        if there is not None and there < self._taken + count:
            raise VectorError(f"{self._given.name} holds {there} vectors, fewer than there are documents")
        return self._given.take(self._taken, count)

    def _commit(self, documents: list[Document], given: Own | None, writer: EngineWriter) -> None:
        known = writer.known([document.id for document in documents])
        hashes = self._hashes(documents, given, known)
        fresh, moved = [], []
        for position, document in enumerate(documents):
            stored = known.get(document.id)
            if stored is None or stored.text_hash != hashes[position]:
                fresh.append(position)
            elif stored.metadata != document.metadata_json():
                moved.append(position)
        if given is not None:
            self._keep_texts([known[documents[n].id] for n in fresh if _is_known_by_id_alone(documents[n], known)])
        self._count(documents, len(fresh), len(moved), sum(documents[n].id in known for n in fresh))
        chosen = fresh + moved
        spaces = writer.spaces()
        if not chosen:
            return
        handles = np.array([known[documents[n].id].handle for n in moved], np.int64)
        new, lines = [documents[n] for n in fresh], None if given is None else given.of(fresh)
        replaced = [known[document.id] for document in new if document.id in known]
        parts = {space.name: self._part(space, new, lines, handles, replaced) for space in spaces}
        writer.commit(
            Block(
                documents=[documents[n] for n in chosen],
                text_hashes=[hashes[n] for n in chosen],
                parts=parts,
            )
        )

    def _hashes(
        self,
        documents: list[Document],
        given: Own | None,
        known: Mapping[str, Known],  # noqa: ARG002 - an update asks
    ) -> list[bytes]:
        """What decides the vectors of each document. given: the user's own. known: what is stored of them."""
        return [text_hash(document, None if given is None else given.hashed(n)) for n, document in enumerate(documents)]

    def _keep_texts(self, stored: list[Known]) -> None:
        """A record of an id alone, which own vectors allow, must not put a document without text in place of one."""
        if not stored:
            return
        with self._engine.snapshot() as snapshot:
            for document in snapshot.documents(np.array([each.handle for each in stored])):
                if document.has_content:
                    raise DocumentError(
                        "the document has a text, and the record that would replace it has none. A record replaces "
                        "the whole document of its id: give its text again, or delete the document first",
                        document_id=document.id,
                    )

    def _count(self, documents: list[Document], fresh: int, moved: int, replaced: int) -> None:
        report = self.report
        report.added += fresh - replaced
        report.replaced += replaced + moved
        report.metadata_only += moved
        report.unchanged += len(documents) - fresh - moved
        if self._given is None:
            report.title_only += sum(not document.text.strip() and document.has_content for document in documents)
            report.without_content += sum(not document.has_content for document in documents)

    def _part(
        self,
        space: Space,
        fresh: list[Document],
        lines: Own | None,
        moved: Numbers,
        replaced: Sequence[Known],
    ) -> Part:
        """What a space takes of new documents, and of those of which only the metadata changed.

        lines: the user's own vectors of the new documents, for the default space. moved: int64 (n,), handles. replaced:
        what is stored of documents that the new ones replace.
        """
        if space.unit == "token":
            tokens = self._encoders.tokens(space)
            with self._engine.snapshot() as snapshot:
                rows = stored_rows(snapshot, replaced, space, tokens, self._mode)
            return self._with_kept(encoded_tokens(fresh, tokens, self._mode, rows), moved, space)
        encoder = self._encoders.of(space)
        own = lines if encoder is self._encoder else None
        if fresh and encoder is not self._encoder and not encoder.can_encode:
            raise InputError(
                f"the space {space.name!r} holds vectors made elsewhere, so documents cannot be added to it beside the "
                f"space that is searched; drop it: `twofold migrate COLLECTION --drop {shlex.quote(space.name)}`"
            )
        if fresh and own is None and encoder is self._encoder:
            self._look_at(fresh)
        part = own.part(fresh) if own is not None else self._encoded_part(space, fresh, encoder, replaced)
        if encoder is self._encoder:
            self.report.passages += len(part.vectors)
            self.report.truncated += sum(tokens > 0 for tokens in part.truncated)
            self.report.tokens_cut += sum(part.truncated)
        self.report.tokens = self._encoded.tokens
        return self._with_kept(part, moved, space)

    def _encoded_part(
        self, space: Space, fresh: list[Document], encoder: GuardedEncoder, replaced: Sequence[Known]
    ) -> Part:
        with self._engine.snapshot() as snapshot:
            ready = stored_vectors(snapshot, replaced, space, encoder, self._mode)
        return encoded(fresh, encoder, self._mode, self._encoded, ready)

    def _with_kept(self, part: Part, moved: Numbers, space: Space) -> Part:
        """A part, and behind it what is stored of the documents of which only the metadata changed."""
        if not len(moved):
            return part
        with self._engine.snapshot() as snapshot:
            return Part.joined([part, kept(snapshot, moved, space)])

    def _look_at(self, fresh: list[Document]) -> None:
        """Says once, of the first documents that are encoded, whether the encoder suits them."""
        if self._looked:
            return
        self._looked = True
        self.report.unsuited = unsuited(self._encoder, fresh)
        if self.report.unsuited:
            logger.warning("%s: %s", self._engine.path, self.report.unsuited)


def _is_known_by_id_alone(document: Document, known: Mapping[str, Known]) -> bool:
    return not document.has_content and document.id in known


def text_hash(document: Document, own: bytes | None) -> bytes:
    """What decides a document's vectors: title and text, and the bytes of the user's own vectors where there are some.
    16 bytes.
    """
    title = document.title.encode()
    digest = hashlib.blake2b(len(title).to_bytes(8, "little") + title + document.text.encode(), digest_size=16)
    if own is not None:
        digest.update(b"\0vector" + own)
    return digest.digest()


def _blocks(documents: Iterator[Document], size: int) -> Iterator[list[Document]]:
    while block := list(islice(documents, size)):
        yield block
