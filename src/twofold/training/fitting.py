"""Optimisation with sentence-transformers: its trainer, its losses, its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twofold.contract import Contract
from twofold.errors import MissingExtraError
from twofold.progress import Progress
from twofold.rankings import Qrels
from twofold.training.losses import dataset, document_columns, labels_of, loss_of
from twofold.training.memory_guard import fitting, halved
from twofold.training.models import blend, guide_of, opened, weights_of, without_adapters
from twofold.training.settings import TrainingSettings
from twofold.training.trainers import Curve, common_arguments, curve_of, plain, run_to_end

MEASURE = "eval_dev_cosine_ndcg@10"


@dataclass(frozen=True, slots=True)
class Texts:
    """The trainer's input: rows of query, positive and negatives, all of one length; and held-out queries.

    scores: a teacher's scores of each row's documents, the positive first; None without a teacher. pool: document id →
    text, the documents among which the held-out queries' answers are sought after each epoch.
    """

    rows: Sequence[tuple[str, ...]]
    scores: Sequence[Sequence[float]] | None
    queries: Mapping[str, str]
    pool: Mapping[str, str]
    qrels: Qrels


def check_installed() -> None:
    """Raises MissingExtraError, naming the extra, where a library of training is not installed."""
    from importlib.util import find_spec

    for library in ("torch", "sentence_transformers", "datasets", "accelerate"):
        if find_spec(library) is None:
            raise MissingExtraError(library, "train")


def fit(
    base: Path,
    contract: Contract,
    texts: Texts,
    settings: TrainingSettings,
    work: Path,
    *,
    progress: Progress,
) -> tuple[Any, Curve, TrainingSettings]:
    """Trains the model of a folder; returns the sentence-transformers model of the best epoch, the curve, and the
    settings with the micro-batch that fitted into memory.

    work: where each epoch's checkpoint lies. An interrupted run resumes from the last one, with the same order of
    batches and the same random numbers.
    """
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    settings = fitting(base, contract, texts.rows, settings)
    while True:
        try:
            model, state = _trained(base, contract, texts, settings, work, progress=progress)
            break
        except torch.OutOfMemoryError:
            settings = halved(settings)
    if settings.lora:
        without_adapters(model)
    blend(model, weights_of(opened(base, contract, replace(settings, lora=0))), settings.blend)
    return model.eval(), curve_of(state, MEASURE), settings


def _trained(
    base: Path, contract: Contract, texts: Texts, settings: TrainingSettings, work: Path, *, progress: Progress
) -> tuple[Any, Any]:
    """The model of the best epoch as it was trained, and the trainer's state. A function of its own, so that nothing
    of a try that did not fit is still held by the next.
    """
    from transformers import set_seed

    set_seed(settings.seed)
    model = opened(base, contract, settings)
    guide = guide_of(base, contract, settings) if settings.loss == "guided" else None
    trainer = _trainer(model, contract, texts, settings, (work, guide))
    run_to_end(trainer, work, progress)
    return model, trainer.state


def _trainer(
    model: Any, contract: Contract, texts: Texts, settings: TrainingSettings, places: tuple[Path, Any | None]
) -> Any:
    """places: the folder of checkpoints, and the guide of the guided loss."""
    from sentence_transformers import SentenceTransformerTrainer

    work, guide = places
    labels = None if texts.scores is None else labels_of(settings, texts.scores)
    return plain(SentenceTransformerTrainer)(
        model=model,
        args=_arguments(len(texts.rows), contract, settings, work),
        train_dataset=dataset(texts.rows, labels),
        loss=loss_of(model, settings, guide),
        evaluator=_evaluator(texts, contract),
    )


def _arguments(rows: int, contract: Contract, settings: TrainingSettings, work: Path) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    columns = document_columns(settings.negatives)
    return SentenceTransformerTrainingArguments(
        **common_arguments(rows, settings, work, MEASURE),
        per_device_train_batch_size=settings.batch,
        # The same text twice in a batch would be its own negative.
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        prompts={"query": contract.query_prompt, **dict.fromkeys(columns, contract.document_prompt)},
        router_mapping={"query": "query", **dict.fromkeys(columns, "document")} if settings.towers == "untied" else {},
    )


def _evaluator(texts: Texts, contract: Contract) -> Any:
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    return InformationRetrievalEvaluator(
        queries=dict(texts.queries),
        corpus=dict(texts.pool),
        relevant_docs={query: set(judged) for query, judged in texts.qrels.items()},
        name="dev",
        batch_size=32,
        write_csv=False,
        query_prompt=contract.query_prompt,
        corpus_prompt=contract.document_prompt,
    )
