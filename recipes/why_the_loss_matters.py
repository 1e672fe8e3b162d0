"""Why the loss matters: one architecture with random weights, and after contrastive training on pairs.

    twofold bench training recipes/why_the_loss_matters.py --data DATA --to FOLDER

What masked-language-model pretraining alone makes of it is not measured: that takes a GPU and days. A picture of the
spaces is written beside, where matplotlib is installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
import transformers

from twofold.encoders.loading import load_encoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import MissingExtraError
from twofold.evaluation.evaluating import evaluate_run
from twofold.models.locating import find_model
from twofold.plots.training import Space, spaces_apart
from twofold.progress import Progress
from twofold.readers.beir import read_beir
from twofold.tables import Cell, Column, Table
from twofold.training.geometry import geometry
from twofold.training.trials import runs, trial_of

COLLECTION, PAIRS = "scifact", 1000


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Quality and geometry of each."""
    encoders = {"random weights": load_encoder(with_random_weights(work)), "after contrastive training": load_encoder()}
    columns = (
        Column("weights"),
        Column("nDCG@10", digits=4),
        Column("alignment", digits=3),
        Column("uniformity", digits=3),
        Column("mean cosine of random pairs", digits=3),
    )
    rows: list[tuple[Cell, ...]] = []
    spaces: list[Space] = []
    for name, encoder in encoders.items():
        quality, space, cosine = figures_of(encoder, data / COLLECTION, name, progress)
        spaces.append(space)
        rows.append((name, quality, space.alignment, space.uniformity, cosine))
    picture = work / "why-the-loss-matters.png"
    try:
        spaces_apart(spaces, picture)
        notes: tuple[str, ...] = (f"picture: {picture}",)
    except MissingExtraError as error:
        notes = (str(error),)
    return Table(f"Why the loss matters: {COLLECTION}, dense search", columns, tuple(rows), notes)


def figures_of(encoder: TransformerEncoder, folder: Path, name: str, progress: Progress) -> tuple[float, Space, float]:
    """nDCG@10, alignment and uniformity of judged pairs, and the mean cosine of documents drawn at random."""
    judged = read_beir(folder, "test")
    run = runs(encoder, [trial_of(folder)], progress)[judged.name]
    quality = evaluate_run(run, judged.qrels, measures=["nDCG@10"])["nDCG@10"].mean
    texts = {document.id: f"{document.title} {document.text}".strip() for document in judged.documents()}
    answers = {query: max(sorted(found), key=found.__getitem__) for query, found in judged.qrels.items()}
    queries = encoder.encode_queries([judged.queries[query] for query in answers])
    documents = encoder.encode_documents([texts[answer] for answer in answers.values()])
    space = geometry(queries, documents)
    drawn = np.random.default_rng(0).permutation(sorted(texts))[: 2 * PAIRS]
    vectors = encoder.encode_documents([texts[each] for each in drawn])
    cosine = float(np.einsum("ij,ij->i", vectors[::2], vectors[1::2]).mean())
    return quality, Space(name, space.alignment, space.uniformity), cosine


def with_random_weights(work: Path) -> Path:
    """The embedded default's folder with weights as they are before any training."""
    folder = work / "random-weights"
    if not folder.exists():
        shutil.copytree(find_model(None).folder, folder)
        torch.manual_seed(0)
        configuration = transformers.AutoConfig.from_pretrained(folder)
        transformers.AutoModel.from_config(configuration).save_pretrained(folder)
    return folder
