"""What a collection should hold and answer, from a plain dictionary and a numpy search that looks at every vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.filters import matches, parse
from twofold.passages.dividing import divide
from twofold.scores import Vectors, dense_scores, scaled

Hits = list[tuple[str, float, int, int]]
"""(id, score, start, end) of each hit, best first."""


@dataclass(frozen=True)
class Kept:
    """One document with its spans, (passages, 2), and its vectors as they are stored."""

    document: Document
    spans: list[list[int]]
    vectors: Vectors
    cut: int


@dataclass
class Model:
    """The documents in the order in which they were added. at_once: documents a commit."""

    encoder: HashedWords
    at_once: int
    documents: dict[str, Kept] = field(default_factory=dict)

    def copy(self) -> Model:
        return Model(self.encoder, self.at_once, dict(self.documents))

    def add(self, documents: Sequence[Document], commits: int | None = None) -> Counter[str]:
        """What `add` does, or the first so many commits of it; counts as its report does."""
        counts, left, seen = Counter[str](), commits, set[str]()
        for start in range(0, len(documents), self.at_once):
            if left == 0:
                break
            block = documents[start : start + self.at_once]
            counts["duplicates"] += sum(each.id in seen for each in {each.id: each for each in block}.values())
            counts["duplicates"] += len(block) - len({each.id for each in block})
            seen |= {each.id for each in block}
            committed = self._add({each.id: each for each in _last(block)}, counts)
            left = None if left is None else left - committed
        return counts

    def _add(self, block: dict[str, Document], counts: Counter[str]) -> bool:
        fresh, moved = list[Document](), list[Document]()
        for each in block.values():
            known = self.documents.get(each.id)
            if known is None or (known.document.title, known.document.text) != (each.title, each.text):
                fresh.append(each)
                counts["added" if known is None else "replaced"] += 1
            elif known.document.metadata_json() != each.metadata_json():
                moved.append(each)
                counts["replaced"] += 1
                counts["metadata_only"] += 1
            else:
                counts["unchanged"] += 1
        for each in [*fresh, *moved]:
            self.documents.pop(each.id, None)
            self.documents[each.id] = self._kept(each)
        counts["passages"] += sum(len(self.documents[each.id].spans) for each in fresh)
        return bool(fresh or moved)

    def _kept(self, document: Document) -> Kept:
        (division,) = divide([document], self.encoder, "auto")
        vectors = self.encoder.encode_documents(division.inputs)
        return Kept(document, division.spans.tolist(), vectors.astype(np.float16).astype(np.float32), division.lost)

    def matching(self, where: Mapping[str, Any] | None) -> list[str]:
        """The ids that pass a filter, in order."""
        if where is None:
            return list(self.documents)
        condition = parse(where)
        return [
            identifier
            for identifier, each in self.documents.items()
            if matches(condition, each.document.metadata, truncated=each.cut > 0)
        ]

    def search(self, query: Vectors, ids: Sequence[str]) -> Hits:
        """The whole ranking of these documents: the best passage of each, ties to the smaller id."""
        found = Hits()
        for identifier in ids:
            each = self.documents[identifier]
            if each.spans:
                scores = dense_scores(query, each.vectors)
                best = int(scores.argmax())
                start, end = each.spans[best]
                found.append((identifier, float(scores[best]), start, end))
        return sorted(found, key=lambda hit: (-hit[1], hit[0].encode()))

    def like(self, identifier: str, ids: Sequence[str]) -> Hits:
        """The ranking of the others by the mean of a document's vectors."""
        query = scaled(self.documents[identifier].vectors.mean(axis=0)[None], "cosine")[0]
        return self.search(query, [each for each in ids if each != identifier])


def _last(block: Sequence[Document]) -> list[Document]:
    """Each id once, where it came last."""
    positions = {each.id: position for position, each in enumerate(block)}
    return [block[position] for position in sorted(positions.values())]
