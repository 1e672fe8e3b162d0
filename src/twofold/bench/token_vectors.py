"""Token vectors of a collection: what their codes keep of the quality of float32, their size, and the time to score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from twofold.bench.surroundings import header
from twofold.bench.timing import latencies, percentiles
from twofold.collection.collection import Collection
from twofold.collection.guarding_tokens import GuardedTokenEncoder
from twofold.collection.opening import create
from twofold.collection.parts import token_part
from twofold.collection.token_space import space_of_tokens
from twofold.documents import Document
from twofold.encoders.token_vectors import TokenEncoder, load_token_encoder
from twofold.engine import EngineSnapshot, EngineWriter
from twofold.evaluation.evaluating import evaluate_run
from twofold.maxsim import TokenVectors, maxsim
from twofold.models.token_folder import TokenPooling
from twofold.models.token_pooling import merged
from twofold.passages.dividing import divide
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.rankings import Run
from twofold.readers.beir import Beir, read_beir
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Vectors
from twofold.searching.stored_tokens import StoredTokens
from twofold.space import Space
from twofold.tables import Cell, Column, Estimate, Report, Table

MEASURE = "nDCG@10"
CANDIDATES = 100
"""Documents of the first stage that are scored again."""
AT_ONCE = 128
"""Documents that are encoded at a time; their vectors in float32 are not kept."""
FIRST, FLOAT = "first stage", "float32"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of keeping token vectors."""

    bits: int
    pooling: float = 1

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.bits} bits" + (f", pooled {self.pooling:g}" if self.pooling > 1 else "")


VARIANTS = (Variant(4), Variant(2), Variant(4, 2), Variant(2, 2))


@dataclass(frozen=True, slots=True)
class Asked:
    """The judged queries, their token vectors, and the documents that the first stage found for each: handle → id."""

    judged: Beir
    names: Sequence[str]
    vectors: Sequence[Vectors]
    candidates: Sequence[Mapping[int, str]]


def bench_token_vectors(
    folders: Sequence[Path],
    *,
    model: str | None = None,
    encoder: Encoder | None = None,
    queries: int = 100,
    split: str = "test",
    progress: Progress = silent,
) -> Report:
    """nDCG@10 of the first 100 documents in the order of MaxSim, by float32 and by stored vectors; bytes and time.

    folders: BEIR folders. model: makes the token vectors; by default the embedded encoder, whose token states serve as
    they come. encoder: of the first stage. queries: so many of each folder, the first with judgements. Raises
    InputError, ModelError.
    """
    tokens = load_token_encoder(model)
    return Report(header(), [_measured(read_beir(each, split), tokens, encoder, queries, progress) for each in folders])


def _measured(judged: Beir, tokens: TokenEncoder, encoder: Encoder | None, queries: int, progress: Progress) -> Table:
    with create(None, encoder) as collection:
        collection.add(judged.documents(), progress=progress)
        spaces = {each: _space(tokens, each) for each in VARIANTS}
        asked, first = _asked(collection, judged, tokens, queries)
        with collection.writing() as writer, collection.searcher() as searcher:
            for space in spaces.values():
                writer.add_space(space)
            runs = {FIRST: first, FLOAT: _filled(writer, searcher.snapshot, tokens, spaces, asked, progress)}
        with collection.searcher() as searcher:
            snapshot = searcher.snapshot
            stored = {
                each: StoredTokens(snapshot, space, GuardedTokenEncoder(space, "", tokens))
                for each, space in spaces.items()
            }
            runs |= {each.name: _run(ranker, asked) for each, ranker in stored.items()}
            times = _times(stored, asked)
            sizes = {each.name: _bytes(snapshot, space) for each, space in spaces.items()}
            dense = _bytes(snapshot, snapshot.space)
    return _table(asked, runs, times, sizes, dense)


def _space(tokens: TokenEncoder, variant: Variant) -> Space:
    made = space_of_tokens(tokens, variant.bits, "")
    return Space(**{**made.to_json(), "name": f"tokens-{variant.bits}-{variant.pooling:g}"})


def _asked(collection: Collection, judged: Beir, tokens: TokenEncoder, queries: int) -> tuple[Asked, Run]:
    names = list(islice((name for name in judged.queries if name in judged.qrels), queries))
    texts = [judged.queries[name] for name in names]
    with collection.searcher(depth=CANDIDATES) as searcher:
        pages = searcher.search_many(texts, k=CANDIDATES)
        handles = [searcher.snapshot.find([hit.id for hit in page]) for page in pages]
    candidates = [{handle: name for name, handle in found.items()} for found in handles]
    run = {name: {hit.id: hit.score for hit in page} for name, page in zip(names, pages, strict=True)}
    return Asked(judged, names, list(tokens.encode_queries(texts)), candidates), run


def _filled(
    writer: EngineWriter,
    snapshot: EngineSnapshot,
    tokens: TokenEncoder,
    spaces: Mapping[Variant, Space],
    asked: Asked,
    progress: Progress,
) -> Run:
    """Fills all spaces, each document encoded once; gives the rankings by the vectors before they are rounded."""
    run: Run = {name: {} for name in asked.names}
    handles, done = snapshot.select(), 0
    codes = {each: GuardedTokenEncoder(space, "", tokens).codes for each, space in spaces.items()}
    for numbers, documents in _blocks(snapshot, handles):
        divisions, report = divide(documents, tokens, "auto"), EncodingReport()
        vectors = tokens.encode_documents([text for each in divisions for text in each.inputs], report=report)
        for variant, space in spaces.items():
            part = token_part(divisions, report, _pooled(vectors, variant.pooling), codes[variant])
            writer.fill_space(space.name, numbers, part)
        owners = np.repeat(numbers, [len(division.spans) for division in divisions])
        for name, query, candidates in zip(asked.names, asked.vectors, asked.candidates, strict=True):
            mine = np.flatnonzero(np.isin(owners, list(candidates)))
            scores = maxsim(query, vectors.of(mine)).tolist()
            for owner, score in zip(owners[mine].tolist(), scores, strict=True):
                best = run[name].get(candidates[owner], -1.0)
                run[name][candidates[owner]] = max(best, score)
        done += len(documents)
        progress(done, len(handles))
    return run


def _blocks(snapshot: EngineSnapshot, handles: Numbers) -> Iterator[tuple[Numbers, list[Document]]]:
    for start in range(0, len(handles), AT_ONCE):
        numbers = handles[start : start + AT_ONCE]
        yield numbers, snapshot.documents(numbers)


def _pooled(vectors: TokenVectors, factor: float) -> TokenVectors:
    if factor == 1 or not len(vectors):
        return vectors
    made = [merged(each, TokenPooling(factor, 1, True, ("document",))) for each in vectors]
    return TokenVectors(np.concatenate(made), np.array([len(each) for each in made], np.int64))


def _run(ranker: StoredTokens, asked: Asked) -> Run:
    run: Run = {}
    for name, query, candidates in zip(asked.names, asked.vectors, asked.candidates, strict=True):
        scores, _ = ranker.scored(ranker.codes.turned(query), np.array(list(candidates), np.int64))
        run[name] = dict(zip(candidates.values(), scores.tolist(), strict=True))
    return run


def _times(stored: Mapping[Variant, StoredTokens], asked: Asked) -> dict[str, tuple[float, float, float]]:
    """p50, p95 and p99 in milliseconds of scoring the documents of one query whose vectors are there."""
    items = [
        (query, np.array(list(each), np.int64)) for query, each in zip(asked.vectors, asked.candidates, strict=True)
    ]

    def scored(ranker: StoredTokens, item: tuple[Vectors, Numbers]) -> object:
        return ranker.scored(ranker.codes.turned(item[0]), item[1])

    contenders = {
        each.name: (lambda item, ranker=ranker: scored(ranker, item), items) for each, ranker in stored.items()
    }
    return {name: percentiles(taken) for name, taken in latencies(contenders, 3).items()}


def _bytes(snapshot: EngineSnapshot, space: Space) -> float:
    """Bytes of vectors a document."""
    counts = snapshot.counted(space.name)
    return 2 * space.words * counts.passages / max(1, counts.documents)


def _table(
    asked: Asked,
    runs: Mapping[str, Run],
    times: Mapping[str, tuple[float, float, float]],
    sizes: Mapping[str, float],
    dense: float,
) -> Table:
    qrels = {name: asked.judged.qrels[name] for name in asked.names}
    results = {name: evaluate_run(run, qrels, measures=[MEASURE])[MEASURE] for name, run in runs.items()}
    rows: list[tuple[Cell, ...]] = []
    for name, measured in results.items():
        value = Estimate(measured.mean, measured.low, measured.high)
        share = None if name == FIRST else 100 * measured.mean / results[FLOAT].mean
        p50, p95, _ = times.get(name, (None, None, None))
        size = sizes.get(name)
        rows.append((name, value, share, p50, p95, size, None if size is None else size / dense))
    columns = (
        Column("order of the first documents"),
        Column(MEASURE, digits=4),
        Column("of float32", "%", 1),
        Column("scoring, p50", "ms", 1),
        Column("p95", "ms", 1),
        Column("a document", "bytes", 0),
        Column("times the dense vectors", digits=1),
    )
    queries = [len(each) for each in asked.vectors]
    notes = (
        f"{len(asked.names)} queries of {np.mean(queries):.0f} vectors in the mean, {CANDIDATES} documents each",
        f"the dense vectors take {dense:,.0f} bytes a document; the query is encoded before the time is taken",
    )
    return Table(f"Token vectors on {asked.judged.name}, {asked.judged.split}", columns, tuple(rows), notes)
