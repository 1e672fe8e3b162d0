"""Optimisation of rankers with sentence-transformers: their trainers, losses and evaluators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.progress import Progress
from twofold.training.hardware import has_cuda
from twofold.training.losses import dataset
from twofold.training.models import WITHOUT_ATTENTION_DROPOUT
from twofold.training.ranker_settings import BY_PAIRS, TAUGHT, RankerSettings
from twofold.training.trainers import Curve, common_arguments, curve_of, plain, run_to_end

DEV = "eval_dev_ndcg@10"
ANSWER = 30.0
"""An answer's label beside the zeros of its negatives in a list. ListNet learns the softmax of the labels: that of 1
and four zeros would give the answer .40 and each negative .15, and this gives it all.
"""


@dataclass(frozen=True, slots=True)
class RankerTexts:
    """Rows of query, answer and negatives; for each held-out query its answers and its candidates, as texts; and a
    teacher's logits of each row's documents, where the loss learns them.
    """

    rows: Sequence[tuple[str, ...]]
    samples: Sequence[Mapping[str, Any]]
    logits: Sequence[Sequence[float]]


def fit_cross_encoder(
    base: Path, texts: RankerTexts, settings: RankerSettings, work: Path, progress: Progress
) -> tuple[Any, Curve]:
    """The CrossEncoder of sentence-transformers after its best epoch, and the curve. work: of the checkpoints."""
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator

    _prepare(settings)
    model = CrossEncoder(str(base), num_labels=1, device=_device(), config_kwargs=dict(WITHOUT_ATTENTION_DROPOUT))
    by_pairs = settings.loss in BY_PAIRS
    trainer = plain(CrossEncoderTrainer)(
        model=model,
        args=CrossEncoderTrainingArguments(
            **common_arguments(len(texts.rows), settings, work, DEV),
            per_device_train_batch_size=settings.batch * (1 + settings.negatives if by_pairs else 1),
        ),
        train_dataset=_pairs(texts, settings),
        loss=_loss_of_pairs(model, settings),
        evaluator=CrossEncoderRerankingEvaluator(
            texts.samples, at_k=10, always_rerank_positives=False, name="dev", batch_size=32, write_csv=False
        ),
    )
    run_to_end(trainer, work, progress)
    return model.eval(), curve_of(trainer.state, DEV)


def fit_late_interaction(
    base: Path, texts: RankerTexts, settings: RankerSettings, work: Path, progress: Progress
) -> tuple[Any, Curve]:
    """The MultiVectorEncoder of sentence-transformers after its best epoch, and the curve. work: of the checkpoints.

    A base that is an encoder of whole texts loses its pooling and gets a projection of its token states.
    """
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.training_args import BatchSamplers
    from sentence_transformers.multi_vector_encoder import (
        MultiVectorEncoderTrainer,
        MultiVectorEncoderTrainingArguments,
    )
    from sentence_transformers.multi_vector_encoder.evaluation import MultiVectorRerankingEvaluator

    _prepare(settings)
    model = MultiVectorEncoder(str(base), device=_device(), config_kwargs=dict(WITHOUT_ATTENTION_DROPOUT))
    trainer = plain(MultiVectorEncoderTrainer)(
        model=model,
        args=MultiVectorEncoderTrainingArguments(
            **common_arguments(len(texts.rows), settings, work, DEV),
            per_device_train_batch_size=settings.batch,
            # The same text twice in a batch would be its own negative.
            batch_sampler=BatchSamplers.NO_DUPLICATES,
        ),
        train_dataset=dataset(texts.rows, _labels(texts, settings)),
        loss=_loss_of_vectors(model, settings),
        evaluator=MultiVectorRerankingEvaluator(_apart(texts.samples), at_k=10, name="dev", write_csv=False),
    )
    run_to_end(trainer, work, progress)
    return model.eval(), curve_of(trainer.state, DEV)


def _prepare(settings: RankerSettings) -> None:
    from transformers import set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    set_seed(settings.seed)


def _device() -> str | None:
    return None if has_cuda() else "cpu"


def _pairs(texts: RankerTexts, settings: RankerSettings) -> Any:
    """What a cross-encoder learns from: lists, rows with labels, or pairs, as the loss reads them."""
    from datasets import Dataset

    rows, loss = texts.rows, settings.loss
    if loss == "listwise":
        return Dataset.from_dict(lists_of(rows))
    if loss == "margin-mse":
        return dataset(rows, texts.logits)
    targets = texts.logits if loss == "mse" else [[1.0] + [0.0] * settings.negatives for _ in rows]
    pairs = [
        (row[0], text, target)
        for row, each in zip(rows, targets, strict=True)
        for text, target in zip(row[1:], each, strict=True)
    ]
    return Dataset.from_dict(dict(zip(("query", "document", "label"), zip(*pairs, strict=True), strict=True)))


def lists_of(rows: Sequence[tuple[str, ...]]) -> dict[str, list[Any]]:
    """Query, documents and labels of each row, by the names of ListNet's columns."""
    return {
        "query": [row[0] for row in rows],
        "docs": [list(row[1:]) for row in rows],
        "labels": [[ANSWER] + [0.0] * (len(row) - 2) for row in rows],
    }


def _loss_of_pairs(model: Any, settings: RankerSettings) -> Any:
    import torch
    from sentence_transformers.cross_encoder import losses

    makers: dict[str, Callable[[], Any]] = {
        "listwise": lambda: losses.ListNetLoss(model),
        "bce": lambda: losses.BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(settings.negatives))),
        "mse": lambda: losses.MSELoss(model),
        "margin-mse": lambda: losses.MarginMSELoss(model),
    }
    return makers[str(settings.loss)]()


def _loss_of_vectors(model: Any, settings: RankerSettings) -> Any:
    from sentence_transformers.multi_vector_encoder import losses

    return {
        "contrastive": losses.MultiVectorMultipleNegativesRankingLoss,
        "kl": losses.MultiVectorDistillKLDivLoss,
        "margin-mse": losses.MultiVectorMarginMSELoss,
    }[str(settings.loss)](model)


def _labels(texts: RankerTexts, settings: RankerSettings) -> list[list[float]] | None:
    """A teacher's logits of answer and negatives, or how far the answer's is above; None where none are learned."""
    if settings.loss not in TAUGHT:
        return None
    if settings.loss == "kl":
        return [list(each) for each in texts.logits]
    return [[answer - negative for negative in negatives] for answer, *negatives in texts.logits]


def _apart(samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The samples with candidates that are no answers, as the evaluator of vectors wants them; those without any of
    these teach nothing about an order.
    """
    apart = [
        {
            "query": each["query"],
            "positive": each["positive"],
            "negative": [text for text in each["documents"] if text not in each["positive"]],
        }
        for each in samples
    ]
    return [each for each in apart if each["negative"]]
