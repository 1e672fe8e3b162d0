"""A second stage: its speed beside sentence-transformers in the same process, and its quality on judged questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from twofold.bench.encode import PEERS
from twofold.bench.encode_peers import REFERENCE
from twofold.bench.search import QUERIES
from twofold.bench.stage_quality import Stages, stage_quality
from twofold.bench.surroundings import header
from twofold.bench.texts import name_of, sample
from twofold.bench.timing import MILLISECONDS, SPREAD_NOTE, alternating, spread
from twofold.encoders.loading import load_encoder
from twofold.errors import MissingExtraError
from twofold.models.locating import find_model
from twofold.progress import Progress, silent
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.rankers.late_interaction import load_late_interaction
from twofold.reports import EncodingReport
from twofold.scores import Scores
from twofold.tables import Cell, Column, Report, Table

LAYERS = (6, 2)
"""Layers of the random models that are made where none is named."""
WORDS = 80
"""Words of a candidate; about 150 tokens of a documentation's text."""
SEED = 0
PRECISIONS = ("f32", "auto", "int8")


def bench_second_stage(
    data: Path | None = None,
    *,
    models: Sequence[str] = (),
    judged: Path | None = None,
    late_interaction: Sequence[str] = (),
    candidates: int = 50,
    rounds: int = 9,
    progress: Progress = silent,
) -> Report:
    """Time to score the candidates of one query, pairs a second, and how many times that is of the reference's.

    data: what the candidates are taken from; without it, docstrings. models: folders or hub names; without them MiniLM
    of six and of two layers with random weights, whose time is real and whose scores mean nothing. judged: a BEIR
    folder on which the quality of these models is measured too (stage_quality.py), and that of models for late
    interaction, without one the embedded encoder. Raises MissingExtraError without sentence-transformers.
    """
    texts = _candidates(data, candidates)
    tables = []
    with _models(models) as named:
        for number, (name, folder) in enumerate(named.items()):
            progress(number, len(named))
            tables.append(_measured(name, folder, texts, f"{len(texts)} candidates of {name_of(data)}", rounds))
    if judged is not None:
        late = [load_late_interaction(name) for name in late_interaction or (None,)]
        stages = Stages([load_cross_encoder(name) for name in models], late)
        tables.append(stage_quality(judged, load_encoder(), stages, progress=progress))
    return Report(header(PEERS), tables)


def _measured(name: str, folder: str, texts: Sequence[str], what: str, rounds: int) -> Table:
    query, report = QUERIES[0], EncodingReport()
    loaded = [load_cross_encoder(folder, precision=precision) for precision in PRECISIONS]
    contenders: dict[str, Callable[[], Scores]] = {REFERENCE: partial(_reference(folder), query, texts)}
    for model in loaded:
        contenders[f"twofold, {model.precision}"] = partial(model.scores, query, texts)
    taken = alternating(contenders, rounds)
    exact = contenders[REFERENCE]()
    loaded[0].scores(query, texts, report=report)
    rows: list[tuple[Cell, ...]] = []
    for contender in [*list(contenders)[1:], REFERENCE]:
        same = contender == REFERENCE
        rows.append(
            (
                contender,
                spread(taken[contender] * MILLISECONDS),
                len(texts) / float(np.median(taken[contender])),
                None if same else spread(taken[REFERENCE] / taken[contender]),
                None if same else float(np.abs(contenders[contender]() - exact).max()),
            )
        )
    columns = (
        Column("cross-encoder"),
        Column("one query", "ms", 1),
        Column("pairs", "1/s", 1),
        Column("times the reference", digits=2),
        Column("largest difference of a score", digits=6),
    )
    mean = report.tokens / max(report.texts, 1)
    notes = (
        f"{what}, {mean:.0f} tokens each in the mean with the query, {len(report.cut)} of them cut",
        f"{SPREAD_NOTE}: {rounds}, contenders taking turns in one process",
    )
    return Table(f"Scoring candidates: {name}", columns, tuple(rows), notes)


def _candidates(data: Path | None, count: int) -> list[str]:
    """Texts of as many words as a usual passage has, filled up with those that follow."""
    words = " ".join(sample(data, count * 4)).split()
    stretches = [" ".join(words[start : start + WORDS]) for start in range(0, len(words), WORDS)]
    return (stretches * (count // max(1, len(stretches)) + 1))[:count]


def _reference(folder: str) -> Callable[[str, Sequence[str]], Scores]:
    """The same model in sentence-transformers, as its users call it."""
    try:
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "bench") from error
    logging.disable_progress_bar()
    peer: Any = CrossEncoder(str(find_model(folder, bare=True).folder), device="cpu")

    def scores(query: str, texts: Sequence[str]) -> Scores:
        found = peer.predict([(query, text) for text in texts], show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)

    return scores


@contextmanager
def _models(models: Sequence[str]) -> Iterator[dict[str, str]]:
    """Name → folder of what is measured; random models last until the block ends."""
    if models:
        yield {name: name for name in models}
        return
    with TemporaryDirectory() as folder:
        yield {f"MiniLM of {layers} layers, random": _random(Path(folder, str(layers)), layers) for layers in LAYERS}


def _random(folder: Path, layers: int) -> str:
    """A classifier of MiniLM's shape over the embedded encoder's tokenizer."""
    try:
        import torch
        from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "bench") from error
    logging.disable_progress_bar()
    torch.manual_seed(SEED)
    configuration = BertConfig(
        num_hidden_layers=layers, hidden_size=384, num_attention_heads=12, intermediate_size=1536, num_labels=1
    )
    BertForSequenceClassification(configuration).save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(find_model(None).folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
