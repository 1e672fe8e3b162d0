"""How long one short query takes: encoding, look-up and both, beside what a user would put together instead."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.encode import PEERS
from twofold.bench.encode_peers import reference_encoder
from twofold.bench.surroundings import header
from twofold.bench.texts import DOCSTRINGS
from twofold.bench.timing import Seconds, latencies, percentiles
from twofold.collection.building import build
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.encoders.loading import load_encoder
from twofold.engine import DenseSnapshot
from twofold.errors import MissingExtraError
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.docstrings import read_docstrings
from twofold.scores import Vectors
from twofold.tables import Cell, Column, Report, Table

QUERIES = (
    "read a file line by line",
    "how do I parse dates?",
    "remove duplicates but keep the order",
    "run a command and get its output",
    "send an email with an attachment",
    "split a string on several separators",
    "what is a weak reference?",
    "compress a folder into a zip file",
    "measure how long a function takes",
    "random sample without replacement",
    "the largest three items of a list",
    "open a URL with a timeout",
)
K = 10
ENCODE, LOOK_UP, BOTH = "encode the query", "exact search by vector", "encode and search"
FAISS, TORCH = "FAISS IndexFlatIP, f32", "sentence-transformers, torch f32"
BY_TEXT = {ENCODE, BOTH, TORCH}


def bench_search(
    collection: Path | None = None,
    *,
    queries: Sequence[str] = QUERIES,
    rounds: int = 20,
    encoder: Encoder | None = None,
    progress: Progress = silent,
) -> Report:
    """p50, p95 and p99 of one query at a time, of ours and of the references, which take turns on all queries.

    collection: a folder; without it one of the docstrings is made for as long as it takes. Torch's encoder is left
    out where sentence-transformers is missing or the collection's encoder is no transformer.
    """
    with _opened(collection, encoder, progress) as subject:
        vectors = list(subject.encoder.encode_queries(queries))
        turns = {name: (ask, queries if name in BY_TEXT else vectors) for name, ask in _contenders(subject).items()}
        taken = latencies(turns, rounds)
        what = DOCSTRINGS if collection is None else collection.name
        info = subject.info()
    size = f"{what}: {info.documents:,} documents, {info.passages:,} vectors of {info.contract.dimension} numbers"
    return Report(header(PEERS), [_table(taken, (size, f"{len(queries)} queries, {rounds} rounds of each"))])


def _opened(path: Path | None, encoder: Encoder | None, progress: Progress) -> AbstractContextManager[Collection]:
    return docstrings(encoder, progress) if path is None else open_collection(path, encoder)


@contextmanager
def docstrings(encoder: Encoder | None, progress: Progress) -> Iterator[Collection]:
    """A collection of the docstrings of the standard library, in a temporary folder, for as long as the block."""
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder:
        path = Path(folder) / "docstrings.twofold"
        documents = list(read_docstrings())
        collection, _ = build(documents, path, encoder=encoder or load_encoder(), progress=progress)
        with collection:
            yield collection


def _contenders(subject: Collection) -> dict[str, Callable[[Any], object]]:
    """What takes turns; those of BY_TEXT take the query's text, the others its vector."""
    with subject.searcher() as searcher:
        flat = exact_reference(searcher.dense)
    contenders: dict[str, Callable[[Any], object]] = {
        ENCODE: lambda text: subject.encoder.encode_queries([text]),
        LOOK_UP: lambda vector: subject.search(vector, k=K),
        BOTH: lambda text: subject.search(text, k=K),
        FAISS: lambda vector: flat(vector, K),
    }
    source = subject.encoder.source
    if source["kind"] == "transformer":
        try:
            peer = reference_encoder(source["name"])
        except MissingExtraError:
            return contenders
        contenders[TORCH] = lambda text: peer([text])
    return contenders


def exact_reference(dense: DenseSnapshot) -> Callable[[Vectors, int], Any]:
    """Exact look-up in FAISS over the same vectors as float32, as a user would set it up."""
    import faiss

    index: Any = None
    for _, block in dense.stored():
        index = faiss.IndexFlatIP(block.shape[1]) if index is None else index
        index.add(np.ascontiguousarray(block, dtype=np.float32))
    return lambda query, k: index.search(query[None], k)


def _table(taken: dict[str, Seconds], notes: tuple[str, ...]) -> Table:
    columns = (Column("one at a time"), *(Column(name, "ms", 2) for name in ("p50", "p95", "p99")))
    rows: list[tuple[Cell, ...]] = [(name, *percentiles(values)) for name, values in taken.items()]
    if TORCH in taken:
        rows.append(("the two references together", *percentiles(taken[FAISS] + taken[TORCH])))
    return Table(f"One short query, {K} hits", columns, tuple(rows), notes)
