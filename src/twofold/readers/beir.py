"""BEIR folders: a corpus, its queries, and the judgements of one split."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twofold.documents import Document
from twofold.errors import InputError
from twofold.rankings import Qrels
from twofold.readers.opening import COMPRESSED, PathLike, either_form
from twofold.readers.queries import read_queries
from twofold.readers.reading import CORPUS, read
from twofold.readers.trec import read_qrels
from twofold.reports import ReadReport


@dataclass(frozen=True, slots=True)
class Beir:
    """One split of a BEIR folder.

    queries: those that the split judges, by id. qrels: their judgements. Each call of `documents` reads
    the corpus again; it is never held in memory.
    """

    folder: Path
    split: str
    queries: dict[str, str]
    qrels: Qrels

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    def documents(self, *, skip_bad: bool = False, report: ReadReport | None = None) -> Iterator[Document]:
        """The corpus, one document after the other; see `read`."""
        return read(self.folder, format="beir", skip_bad=skip_bad, report=report)


def read_beir(folder: PathLike, split: str = "test") -> Beir:
    """The queries and judgements of one split; the corpus is read by `documents()`.

    corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, each plain, .gz or .xz. Queries that the split does not judge
    are left out; other files are ignored. Raises InputError for a folder that is none, a split that is not
    there (naming those that are), and a judged query without a text.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError("no such folder", path=place)
    for name in (CORPUS, "queries.jsonl"):
        if either_form(place, name) is None:
            raise InputError(f"no BEIR folder: it has no {name}[.gz|.xz]", path=place)
    qrels_path = either_form(place / "qrels", f"{split}.tsv") if split == os.path.basename(split) else None
    if qrels_path is None:
        there = ", ".join(splits(place)) or "none"
        raise InputError(f"no split {split!r} in qrels/; there are: {there}", path=place)
    qrels = read_qrels(qrels_path)
    queries_path = either_form(place, "queries.jsonl")
    texts = read_queries(queries_path or place)
    unknown = next((query for query in qrels if query not in texts), None)
    if unknown is not None:
        raise InputError(f"judges the query {unknown!r}, which {queries_path} does not have", path=qrels_path)
    return Beir(place, split, {query: text for query, text in texts.items() if query in qrels}, qrels)


def splits(folder: PathLike) -> list[str]:
    """The splits that a BEIR folder has judgements for, sorted."""
    names = (file.name for file in (Path(folder) / "qrels").glob("*.tsv*"))
    return sorted({name.removesuffix(ending) for name in names for ending in _endings if name.endswith(ending)})


_endings = tuple(f".tsv{ending}" for ending in ("", *COMPRESSED))
