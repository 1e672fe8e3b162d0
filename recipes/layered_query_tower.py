"""Query towers of two and four layers for the embedded default, and what they keep on judged collections.

    twofold bench training recipes/layered_query_tower.py --data DATA --to FOLDER

Fitted to the texts of static_query_tower.py. Documents are encoded by the default once; each tower asks the same
collections. Twenty minutes a tower on two cores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.training import module_of, once
from twofold.collection.building import build
from twofold.collection.opening import open_collection
from twofold.encoders.loading import load_encoder
from twofold.evaluation.evaluating import evaluate_run
from twofold.models.locating import find_model
from twofold.progress import Progress
from twofold.readers.beir import read_beir
from twofold.tables import Cell, Column, Table
from twofold.training.distilling import DistillingSettings
from twofold.training.layered_tower import distil_layers, write_tower

COLLECTIONS = (
    *("cacm", "cosqa", "cranfield", "fairytaleqa", "medquad", "nfcorpus"),
    *("npl", "powershell", "scifact", "squad-dev", "trecqa-wang", "wikiqa"),
)
SETTINGS = DistillingSettings(epochs=1, batch=256, learning_rate=5e-4)
LAYERS = (2,)
MODES = ("dense", "hybrid")


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """nDCG@10 of the encoder itself and of each tower, dense and hybrid."""
    towers = {"itself": None} | {f"{layers} layers": tower(data, work, layers, progress) for layers in LAYERS}
    columns = [Column("collection"), *(Column(f"{mode}, {name}", digits=4) for mode in MODES for name in towers)]
    found = [
        once(work / f"towers-{name}.json", lambda name=name: figures(data, work, name, towers, progress))
        for name in COLLECTIONS
    ]
    rows: list[tuple[Cell, ...]] = [(name, *each["values"]) for name, each in zip(COLLECTIONS, found, strict=True)]
    means = np.mean([each["values"] for each in found], axis=0)
    rows.append(("mean", *means.tolist()))
    bases = np.repeat(means[:: len(towers)], len(towers))
    rows.append(("kept", *(means / bases).tolist()))
    return Table("Query towers, documents by the encoder itself: nDCG@10", tuple(columns), tuple(rows))


def figures(data: Path, work: Path, name: str, towers: dict[str, Any], progress: Progress) -> dict[str, list[float]]:
    """Of one collection: the values by mode and tower."""
    place, judged = work / f"{name}.twofold", read_beir(data / name, "test")
    build(judged.documents(), place, encoder=load_encoder(), progress=progress)[0].close()
    queries = {query: judged.queries[query] for query in judged.qrels}
    values = []
    for mode in MODES:
        for tower_of in towers.values():
            with open_collection(place, load_encoder(query_tower=tower_of)) as collection:
                run = collection.run(queries, depth=100, mode=mode)
            values.append(evaluate_run(run, judged.qrels, measures=["nDCG@10"])["nDCG@10"].mean)
    return {"values": values}


def tower(data: Path, work: Path, layers: int, progress: Progress) -> Path:
    """The folder of a tower of so many layers, which is fitted only if it is not there yet."""
    to = work / f"{layers}-layers"
    if not to.exists():
        teacher, static = load_encoder(), module_of(Path(__file__).with_name("static_query_tower.py"))
        model, fidelity = distil_layers(
            teacher, find_model(None).folder, static.texts_of(data), layers, settings=SETTINGS, progress=progress
        )
        write_tower(model, to, teacher.contract.space, {"fidelity": str(fidelity)})
    return to
