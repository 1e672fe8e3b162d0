"""What the choice of a pipeline gains or loses: chosen on few questions, judged on the others, many times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.bench.surroundings import header
from twofold.collection.measuring_pipelines import named_ranker, read_again, values_of
from twofold.collection.opening import create
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.files import write_aside
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.beir import Beir, read_beir
from twofold.searching.hybrid import SEARCH_MODES
from twofold.searching.pipeline import Pipeline
from twofold.tables import Cell, Column, Estimate, Report, Table
from twofold.token_codes import STORED
from twofold.tuning.pipelines import DEPTHS, WEIGHTS, Values, chosen_pipeline, timed
from twofold.tuning.second_stages import values_of_stages
from twofold.tuning.sharing import TOP

SPLITS, DRAWN, SEED = 200, 50, 0
MIDDLE = (2.5, 97.5)
"""Percentiles that hold 95 % of the splits."""


def bench_pipelines(
    folders: Sequence[Path],
    *,
    ranker: str,
    to: Path | None = None,
    split: str = "test",
    splits: int = SPLITS,
    encoder: Encoder | None = None,
    progress: Progress = silent,
) -> Report:
    """For each collection, random splits: 50 questions choose, and the others judge what was chosen.

    folders: BEIR folders. ranker: a folder or hub name, or "token-vectors", those of the encoder. to: keeps
    every question's values there, from which a later run goes on without searching. The lexical share is the default
    one and there is no budget, so that what is judged is the second stage. Raises InputError.
    """
    if to is not None and not to.is_dir():
        raise InputError("no such folder for the values", path=to)
    rows = []
    for place, folder in enumerate(folders):
        judged = read_beir(folder, split)
        file = None if to is None else to / f"{judged.name}-{split}.json"
        if file is not None and file.exists():
            values = _kept(file, ranker)
        else:
            values = pipeline_values(judged, ranker, encoder or load_encoder())
            if file is not None:
                _keep(file, ranker, values)
        rows.append(_row(judged.name, values, splits))
        progress(place + 1, len(folders))
    columns = (
        Column("collection"),
        Column("questions"),
        Column("hybrid", digits=4),
        Column("best stage, held out", digits=4),
        Column("switched on", "%"),
        Column("gain where it is on", digits=4),
        Column("gain over all splits", digits=4),
    )
    notes = (
        f"nDCG@10; {splits} splits: {DRAWN} questions choose, the others judge; gains over hybrid search",
        "best stage: the gain of its best depth on all questions, judged by folds, with its interval",
        "the last two columns: the mean over splits, and what holds 95 % of them",
        f"second stage: {ranker}",
    )
    return Report(header(), [Table("Pipelines chosen by few questions", columns, tuple(rows), notes)])


def pipeline_values(judged: Beir, ranker: str, encoder: Encoder) -> dict[Pipeline, Values]:
    """The value of each judged question by each mode, and by each depth and weight of the ranker."""
    queries = {query: text for query, text in judged.queries.items() if max(judged.qrels[query].values()) > 0}
    qrels = {query: judged.qrels[query] for query in queries}
    with create(None, encoder) as collection:
        collection.add(judged.documents())
        if ranker == STORED:
            collection.add_token_vectors()
        collection.tune()
        with collection.searcher() as searcher:
            vectors = encoder.encode_queries(list(queries.values()))
            asked = {query: (text, vector) for (query, text), vector in zip(queries.items(), vectors, strict=True)}
            runs = {mode: searcher.run(queries, vectors=vectors, depth=TOP, mode=mode) for mode in SEARCH_MODES}
            values = {Pipeline(mode=mode): values_of(run, qrels) for mode, run in runs.items()}
            depth = min(max(DEPTHS), collection.settings.depth)
            given = named_ranker(ranker, searcher.tokens)
            first = searcher.run(queries, vectors=vectors, depth=depth, mode="hybrid")
            read = read_again(searcher, asked, first, given, depth)
            depths = [each for each in DEPTHS if each <= depth]
            values |= values_of_stages(ranker, given, read, qrels, depths=depths, weights=WEIGHTS)
    return values


def gains_of_splits(values: Mapping[Pipeline, Values], splits: int) -> tuple[Values, NDArray[np.bool_]]:
    """Of each split the gain of the chosen pipeline over hybrid search on the questions that did not choose, float64
    (splits,), and whether it has a second stage, bool (splits,). Raises InputError for fewer than 60 questions."""
    count = len(next(iter(values.values())))
    if count < DRAWN + TOP:
        raise InputError(f"{DRAWN} questions choose and {TOP} at least judge, and there are {count}")
    times = {timed(pipeline): 1.0 for pipeline in values}
    hybrid, draw = values[Pipeline(mode="hybrid")], np.random.default_rng(SEED)
    gains, stages = np.zeros(splits), np.zeros(splits, np.bool_)
    for number in range(splits):
        order = draw.permutation(count)
        chosen, rest = order[:DRAWN], order[DRAWN:]
        pipeline = chosen_pipeline({each: found[chosen] for each, found in values.items()}, times, 1.0).pipeline
        gains[number] = (values[pipeline][rest] - hybrid[rest]).mean()
        stages[number] = pipeline.ranker is not None
    return gains, stages


def _row(name: str, values: Mapping[Pipeline, Values], splits: int) -> tuple[Cell, ...]:
    choice = chosen_pipeline(values, {timed(pipeline): 1.0 for pipeline in values}, 1.0)
    best = max((way for way in choice.ways if way.pipeline.ranker is not None), key=lambda way: way.quality)
    gains, stages = gains_of_splits(values, splits)
    return (
        name,
        choice.questions,
        float(values[Pipeline(mode="hybrid")].mean()),
        Estimate(best.gain, best.least, best.most),
        100 * float(stages.mean()),
        _spread(gains[stages]) if stages.any() else None,
        _spread(gains),
    )


def _spread(gains: Values) -> Estimate:
    low, high = np.percentile(gains, MIDDLE)
    mean = float(gains.mean())
    return Estimate(mean, min(float(low), mean), max(float(high), mean))


def _keep(file: Path, ranker: str, values: Mapping[Pipeline, Values]) -> None:
    lines = [{"pipeline": each.to_json(), "values": found.tolist()} for each, found in values.items()]
    with write_aside(file) as out:
        out.write(json.dumps({"ranker": ranker, "ways": lines}).encode())


def _kept(file: Path, ranker: str) -> dict[Pipeline, Values]:
    try:
        found: Any = json.loads(file.read_bytes())
        values = {Pipeline.from_json(each["pipeline"]): np.array(each["values"]) for each in found["ways"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"holds no values of a bench of pipelines ({error}); remove it", path=file) from error
    if found["ranker"] != ranker:
        raise InputError(
            f"holds values of the ranker {found['ranker']!r}, not {ranker!r}; name another folder", path=file
        )
    return values
