"""`train_query_tower`: from texts without judgements to a faster query tower, in the space of an encoder."""

from __future__ import annotations

import os
import random
import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.documents import Document
from twofold.encoders.loading import load_encoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError, ModelError
from twofold.evaluation.comparing import compare
from twofold.evaluation.comparison import Comparison
from twofold.files import check_writable
from twofold.progress import Progress, displayed
from twofold.protocols import Encoder
from twofold.readers.pairs import read_pairs
from twofold.readers.reading import read
from twofold.tables import Column, Estimate, Table
from twofold.training.distilling import DistillingSettings, Fidelity
from twofold.training.layered_tower import SETTINGS, distil_layers, write_tower
from twofold.training.models import trainable
from twofold.training.static_tower import distil_static
from twofold.tuning.pseudo_queries import pseudo_queries

LAYERS = {"static": 0, "2-layer": 2, "4-layer": 4}
"""Kinds of towers; a static one is a table and has no layer."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
SHORTEST, LONGEST = 15, 400
"""Characters of a sentence that is taken: shorter ones say little, longer ones are no questions."""
TIMED = 200
CHECKED = 500
"""Documents of a collection whose titles or openings are asked for them."""
ITSELF, TOWER, MEASURE = "the encoder itself", "the tower", "nDCG@10"


@dataclass(frozen=True, slots=True)
class QueryTowerOutcome:
    """place: the tower's file or folder. kind: a key of LAYERS. fidelity: to its teacher.
    milliseconds: of one query, teacher and tower. found: how well both find documents of a collection by their own
    titles and openings, which were not fitted; None where no collection was named.
    """

    place: Path
    kind: str
    fidelity: Fidelity
    milliseconds: tuple[float, float]
    found: Comparison | None
    seconds: float

    def table(self) -> Table:
        """The teacher beside the tower."""
        columns = [
            Column("query tower"),
            Column("cosine to the teacher", digits=4),
            Column("of its 10 nearest", "%", 1),
            Column("p50 of a query", "ms", 3),
        ]
        rows: list[tuple[Any, ...]] = [
            (ITSELF, 1.0, 100.0, self.milliseconds[0]),
            (self.kind, self.fidelity.cosine, self.fidelity.nearest * 100, self.milliseconds[1]),
        ]
        notes = [f"on {self.fidelity.held_out:,} texts that the tower has not seen"]
        if self.found is not None:
            columns.append(Column(MEASURE, digits=4))
            values = [self.found.evaluations[name][MEASURE] for name in (ITSELF, TOWER)]
            rows = [(*row, Estimate(each.mean, each.low, each.high)) for row, each in zip(rows, values, strict=True)]
            asked = self.found.evaluations[TOWER].queries
            notes.append(f"{MEASURE}: {asked:,} documents of the collection sought by their titles and openings")
        return Table("What the tower keeps, and what it saves", tuple(columns), tuple(rows), tuple(notes))

    def verdict(self) -> str:
        """What the tower costs and saves, in a sentence."""
        times = self.milliseconds[0] / self.milliseconds[1]
        said = f"a query is encoded {times:.1f} times as fast"
        if self.found is None:
            tower = shlex.quote(str(self.place))
            return (
                f"{said}; what it costs in quality: "
                f"`twofold evaluate COLLECTION --queries FILE --qrels FILE --query-tower {tower}`"
            )
        values = [self.found.evaluations[name][MEASURE].mean for name in (ITSELF, TOWER)]
        by = self.found.contrasts[0].difference
        kept = f" ({values[1] / values[0]:.1%} kept)" if values[0] else ""
        return f"{said}, at {MEASURE} {by.mean:+.4f} [{by.low:+.4f}, {by.high:+.4f}]{kept}"

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "tower": str(self.place),
            "kind": self.kind,
            **self.fidelity.to_json(),
            "teacher_ms": self.milliseconds[0],
            "tower_ms": self.milliseconds[1],
            "found": None if self.found is None else self.found.to_json(),
            "seconds": round(self.seconds, 1),
        }


def train_query_tower(
    data: str | Path | None = None,
    *,
    to: str | Path,
    kind: str = "static",
    base: str | Path | None = None,
    collection: str | Path | None = None,
    settings: DistillingSettings | None = None,
    progress: Progress | bool = False,
) -> QueryTowerOutcome:
    """Fits a tower to an encoder's queries; it works with every collection of that encoder.

    data: pairs, or documents in any form that `read` takes: questions, titles and sentences are the training texts.
    to: the new file of a static tower, the new folder of one with layers. kind: "static", "2-layer" or "4-layer". base:
    the encoder, the embedded default without one. collection: takes the place of `base`, and of `data` where none is
    given; the tower is evaluated on it. Raises InputError, ModelError, MissingExtraError.
    """
    to = Path(to).resolve()
    if kind not in LAYERS:
        raise InputError(f"there is no query tower {kind!r}; there are {', '.join(LAYERS)}")
    if to.exists() and (not LAYERS[kind] or not to.is_dir() or any(to.iterdir())):
        raise InputError("there is something here already; name a path that does not exist", path=to)
    if not LAYERS[kind]:
        check_writable(to)
    if data is None and collection is None:
        raise InputError("a query tower is fitted to texts: name a file of them, or a collection that holds some")
    start, questions, texts, precision = time.monotonic(), dict[str, str](), list[str](), "auto"
    if collection is not None:
        with open_collection(collection) as opened:
            base, precision = _model_of(opened), opened.encoder.source.get("precision", precision)
            questions, texts = _questions(opened), list(texts_of(opened))
    teacher, asked = load_encoder(base, precision=precision), set(questions.values())
    texts = [text for text in (texts if data is None else texts_in(data)) if text not in asked]
    about = {"texts": os.path.basename(data or collection or "")}
    with displayed(progress, "Fitting", "steps") as shown:
        fidelity = _fitted(LAYERS[kind], teacher, texts, to, about=about, settings=settings, progress=shown)
    seconds, tower = time.monotonic() - start, load_encoder(base, precision=precision, query_tower=to)
    timed = tuple(_median(each.encode_queries, texts[:TIMED]) for each in (teacher, tower))
    found = None if collection is None else _tried(collection, {ITSELF: teacher, TOWER: tower}, questions)
    return QueryTowerOutcome(to, kind, fidelity, (timed[0], timed[1]), found, seconds)


def _fitted(
    layer_count: int,
    teacher: TransformerEncoder,
    texts: Sequence[str],
    to: Path,
    *,
    about: dict[str, str],
    settings: DistillingSettings | None,
    progress: Progress,
) -> Fidelity:
    """Fits a tower and writes it. layer_count: 0 for a table."""
    if not layer_count:
        table, fidelity = distil_static(teacher, texts, about=about, settings=settings, progress=progress)
        table.write(to)
        return fidelity
    folder, settings = trainable(teacher.source["name"]), settings or SETTINGS
    model, fidelity = distil_layers(teacher, folder, texts, layer_count, settings=settings, progress=progress)
    write_tower(model, to, teacher.contract.space, about)
    return fidelity


def _model_of(collection: Collection) -> str | None:
    """The model that encoded a collection's documents. Raises ModelError where there is none."""
    source = collection.encoder.source
    if "name" not in source:
        raise ModelError(f"{collection.path} was made without a model, so no query tower can be fitted to it")
    name: str | None = source["name"]
    return name


def _questions(collection: Collection) -> dict[str, str]:
    """Documents of a collection, drawn at random, and what is asked for each: its title, or an opening of its text."""
    able = [document.id for document in collection if document.has_content]
    drawn = set(random.Random(0).sample(able, min(CHECKED, len(able))))  # noqa: S311 - repeatable, no secret
    asked = {document.id: next(pseudo_queries([document]), "") for document in collection if document.id in drawn}
    return {document: text for document, text in asked.items() if text}


def _tried(collection: str | Path, encoders: dict[str, Encoder], questions: dict[str, str]) -> Comparison:
    runs = {}
    for name, encoder in encoders.items():
        with open_collection(collection, encoder) as opened:
            runs[name] = opened.run(questions, mode="dense")
    return compare(runs, {document: {document: 1} for document in questions}, measures=[MEASURE])


def texts_in(data: str | Path) -> Iterator[str]:
    """The questions and sentences of pairs, or the titles and sentences of documents."""
    if not Path(data).is_dir() and _holds_pairs(data):
        for pair in read_pairs(data):
            yield pair.query
            yield from sentences(pair.positive)
        return
    yield from texts_of(read(data))


def texts_of(documents: Iterable[Document]) -> Iterator[str]:
    """The titles and sentences of documents."""
    for document in documents:
        yield from filter(None, (document.title,))
        yield from sentences(document.text)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text that are neither short nor long."""
    yield from (each for each in SENTENCE.split(text) if each and SHORTEST <= len(each) <= LONGEST)


def _holds_pairs(data: str | Path) -> bool:
    try:
        next(read_pairs(data))
    except (InputError, StopIteration):
        return False
    return True


def _median(encode: Callable[[list[str]], object], texts: list[str]) -> float:
    encode(texts[:1])
    taken = []
    for text in texts:
        start = time.perf_counter()
        encode([text])
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1000
