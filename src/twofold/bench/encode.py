"""The speed of encoding, beside the same model in other libraries in the same process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from twofold.bench.encode_peers import REFERENCE, other_encoders, reference_encoder
from twofold.bench.long_texts import first_vector, long_texts
from twofold.bench.product_peak import profile
from twofold.bench.shapes import make_shape
from twofold.bench.surroundings import header
from twofold.bench.texts import name_of, sample
from twofold.bench.timing import SPREAD_NOTE, alternating, spread
from twofold.encoders.loading import load_encoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.models.devices import CPU
from twofold.models.transformer import TransformerModel
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.tables import Cell, Column, Report, Table

PEERS = ("sentence-transformers", "torch", "transformers", "optimum-intel", "onnxruntime", "fastembed")
LENGTHS = ("short", "medium", "long")
SHORT, MEDIUM, LONG = 12, 200, 1_500
"""Words: of a short text, of a medium one at most, and of a long one at least."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured.

    model: a folder or hub name, None for the embedded default. shape: a name of `shapes.SHAPES` instead, made with
    random weights below `to`, or for the time of the bench. precisions: by default f32 and what "auto" takes here.
    lengths: "short", "medium" or "long" texts, made of those given; None takes them as they are. long: texts of up to
    8,192 tokens in new processes instead of the comparison. device: as `load_encoder` has it, for the comparison.
    """

    model: str | None = None
    shape: str | None = None
    to: Path | None = None
    precisions: Sequence[str] = ()
    lengths: str | None = None
    long: bool = False
    device: str = CPU

    def __post_init__(self) -> None:
        if self.model is not None and self.shape is not None:
            raise InputError("a model and a shape exclude each other")
        if self.to is not None and self.shape is None:
            raise InputError("a folder for the shape needs a shape: --shape NAME")
        if self.lengths not in (None, *LENGTHS):
            raise InputError(f"lengths must be one of {', '.join(LENGTHS)}, not {self.lengths!r}")


def bench_encode(data: Path | None = None, asked: Asked | None = None, *, count: int = 256, rounds: int = 5) -> Report:
    """Passages and tokens a second in each precision and library, where the time goes, and the time to a first vector.

    data: what to take `count` texts from; without it, docstrings. Raises MissingExtraError without
    sentence-transformers, InputError for an unknown shape.
    """
    asked = asked or Asked()
    texts = of_length(sample(data, count), asked.lengths)
    what = name_of(data) if asked.lengths is None else f"{name_of(data)}, {asked.lengths}"
    keeps = asked.shape is None or asked.to is not None
    with nullcontext(asked.to) if keeps else tempfile.TemporaryDirectory(prefix="twofold-shape-") as folder:
        model = asked.model if asked.shape is None else str(make_shape(asked.shape, Path(folder or "")))
        precisions = asked.precisions or ("f32", "auto")
        if asked.long:
            return Report(header(PEERS), [long_texts(model, texts, each, rounds) for each in precisions])
        return Report(header(PEERS), _compared(model, texts, what, _encoders(model, precisions, asked.device), rounds))


def of_length(texts: Sequence[str], lengths: str | None) -> list[str]:
    """As many texts as there are, of about this length in words: cut, or joined with those that follow, around."""
    words = [text.split() for text in texts]
    if lengths == "short":
        return [" ".join(each[:SHORT]) for each in words]
    if lengths == "medium":
        return [" ".join(each[:MEDIUM]) for each in words]
    if lengths is None or not any(words):
        return list(texts)
    return [_joined(words, start) for start in range(len(words))]


def _joined(words: Sequence[Sequence[str]], start: int) -> str:
    whole: list[str] = []
    while len(whole) < LONG:
        whole += words[start % len(words)]
        start += 1
    return " ".join(whole)


def _compared(
    model: str | None, texts: Sequence[str], what: str, encoders: Mapping[str, TransformerEncoder], rounds: int
) -> list[Table]:
    reference, (others, lacking) = reference_encoder(model), other_encoders(model)
    peers = {REFERENCE: reference, **others}
    contenders: dict[str, Callable[[], Vectors]] = {name: partial(encode, texts) for name, encode in peers.items()}
    contenders |= {name: partial(encoder.encode_documents, texts) for name, encoder in encoders.items()}
    taken = alternating(contenders, rounds)
    exact, report = contenders[REFERENCE](), EncodingReport()
    next(iter(encoders.values())).encode_documents(texts, report=report)
    rows: list[tuple[Cell, ...]] = []
    rates = {}
    for name in (*encoders, *peers):
        passages = spread(len(texts) / taken[name])
        rates[name] = passages.value * report.tokens / len(texts)
        times = None if name == REFERENCE else spread(taken[REFERENCE] / taken[name])
        cosine = None if name == REFERENCE else _lowest_cosine(contenders[name](), exact)
        rows.append((name, passages, rates[name], times, cosine))
    profiles = [
        profile(encoder.model, encoder.folder.max_tokens, rates[name])
        for name, encoder in encoders.items()
        if isinstance(encoder.model, TransformerModel) and encoder.device == CPU
    ]
    first = [first_vector(rounds)] if model is None else []
    return [_table(rows, what, report, rounds, lacking), *profiles, *first]


def _table(
    rows: Sequence[tuple[Cell, ...]], what: str, report: EncodingReport, rounds: int, lacking: Sequence[str]
) -> Table:
    columns = (
        Column("encoder"),
        Column("passages", "1/s", 1),
        Column("tokens", "1/s"),
        Column("times the reference", digits=2),
        Column("lowest cosine to it", digits=6),
    )
    mean = report.tokens / max(report.texts, 1)
    notes = (
        f"{report.texts} texts of {what}, {mean:.0f} tokens each in the mean, {len(report.cut)} of them cut",
        f"{SPREAD_NOTE}: {rounds}, contenders taking turns in one process",
        *lacking,
    )
    return Table("Encoding documents", columns, tuple(rows), notes)


def _encoders(model: str | None, precisions: Sequence[str], device: str) -> dict[str, TransformerEncoder]:
    loaded = [load_encoder(model, precision=precision, device=device) for precision in precisions]
    places = ["" if each.device == CPU else f" on {each.device}" for each in loaded]
    return {f"twofold, {each.precision}{place}": each for each, place in zip(loaded, places, strict=True)}


def _lowest_cosine(one: Vectors, two: Vectors) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return float((np.einsum("ij,ij->i", one, two) / lengths).min())
