"""The speed of encoding, beside sentence-transformers on torch in the same process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.surroundings import header
from twofold.bench.texts import name_of, sample
from twofold.bench.timing import SPREAD_NOTE, alternating, spread
from twofold.encoders.loading import load_encoder
from twofold.errors import MissingExtraError
from twofold.models.locating import find_model
from twofold.protocols import Encoder
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.tables import Cell, Column, Report, Table

REFERENCE = "sentence-transformers, torch f32"
PEERS = ("sentence-transformers", "torch", "transformers")


def bench_encode(
    data: Path | None = None,
    *,
    model: str | None = None,
    count: int = 256,
    rounds: int = 5,
    precisions: Sequence[str] = (),
) -> Report:
    """Passages and tokens a second in each precision, and how many times that is of the reference's.

    data: what to take `count` texts from; without it, docstrings. precisions: "f32", "bf16"; by default f32 and what
    "auto" takes here. Raises MissingExtraError without sentence-transformers.
    """
    texts = sample(data, count)
    encoders = _encoders(model, precisions)
    reference = reference_encoder(model)
    contenders: dict[str, Callable[[], Vectors]] = {REFERENCE: lambda: reference(texts)}
    for name, encoder in encoders.items():
        contenders[name] = partial(encoder.encode_documents, texts)
    taken = alternating(contenders, rounds)
    exact, report = contenders[REFERENCE](), EncodingReport()
    next(iter(encoders.values())).encode_documents(texts, report=report)
    rows: list[tuple[Cell, ...]] = []
    for name in (*encoders, REFERENCE):
        passages = spread(len(texts) / taken[name])
        tokens = passages.value * report.tokens / len(texts)
        times = None if name == REFERENCE else spread(taken[REFERENCE] / taken[name])
        cosine = None if name == REFERENCE else _lowest_cosine(contenders[name](), exact)
        rows.append((name, passages, tokens, times, cosine))
    return Report(header(PEERS), [_table(rows, f"{len(texts)} texts of {name_of(data)}", report, rounds)])


def _table(rows: Sequence[tuple[Cell, ...]], what: str, report: EncodingReport, rounds: int) -> Table:
    columns = (
        Column("encoder"),
        Column("passages", "1/s", 1),
        Column("tokens", "1/s"),
        Column("times the reference", digits=2),
        Column("lowest cosine to it", digits=6),
    )
    mean = report.tokens / max(report.texts, 1)
    notes = (
        f"{what}, {mean:.0f} tokens each in the mean, {len(report.cut)} of them cut",
        f"{SPREAD_NOTE}: {rounds}, contenders taking turns in one process",
    )
    return Table("Encoding documents", columns, tuple(rows), notes)


def _encoders(model: str | None, precisions: Sequence[str]) -> dict[str, Encoder]:
    asked = precisions or ("f32", "auto")
    loaded = [load_encoder(model, precision=precision) for precision in asked]
    return {f"twofold, {encoder.precision}": encoder for encoder in loaded}


def reference_encoder(model: str | None) -> Callable[[Sequence[str]], Vectors]:
    """The same model in sentence-transformers, as its users call it; MissingExtraError where that is missing."""
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "bench") from error
    logging.disable_progress_bar()
    peer: Any = SentenceTransformer(str(find_model(model).folder), device="cpu")
    return lambda texts: np.asarray(peer.encode(list(texts), show_progress_bar=False), dtype=np.float32)


def _lowest_cosine(one: Vectors, two: Vectors) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return float((np.einsum("ij,ij->i", one, two) / lengths).min())
