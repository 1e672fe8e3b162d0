"""The losses of sentence-transformers that a run may use, and the rows that each of them reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twofold.training.settings import TrainingSettings

TEMPERATURE = 0.05
"""By which cosines are divided, in contrastive training and where a teacher's distribution is drawn."""


def dataset(rows: Sequence[tuple[str, ...]], labels: Sequence[Sequence[float]] | None) -> Any:
    """Columns query, positive, negative_0, …; and label, a teacher's scores of the documents, if there is one."""
    from datasets import Dataset

    columns: dict[str, list[Any]] = {
        name: [row[place] for row in rows] for place, name in enumerate(["query", *document_columns(len(rows[0]) - 2)])
    }
    if labels is not None:
        columns["label"] = [list(each) for each in labels]
    return Dataset.from_dict(columns)


def document_columns(negatives: int) -> list[str]:
    """The names of the columns that hold documents."""
    return ["positive", *(f"negative_{place}" for place in range(negatives))]


def loss_of(model: Any, settings: TrainingSettings, guide: Any | None) -> Any:
    """The loss of a run; in pieces where micro_batch is set, over prefixes too where dimensions are.

    guide: the model that says which texts of a batch are no negatives, for the guided loss.
    """
    from sentence_transformers.sentence_transformer import losses

    loss = LOSSES[settings.loss](losses, model, settings, guide)
    if not settings.dimensions:
        return loss
    whole = model.get_embedding_dimension()
    return losses.MatryoshkaLoss(model, loss, sorted({whole, *settings.dimensions}, reverse=True))


def labels_of(settings: TrainingSettings, scores: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """Targets of a distilling loss: the teacher's scores of answer and negatives, or the margin of the answer.

    scores: of each row, the answer's first. None for losses that read no scores.
    """
    if settings.loss == "kl":
        return [list(each) for each in scores]
    if settings.loss == "margin-mse":
        return [[answer - negative for negative in negatives] for answer, *negatives in scores]
    return None


def _contrastive(losses: Any, model: Any, settings: TrainingSettings, _guide: Any) -> Any:
    if settings.micro_batch is None:
        return losses.MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE)
    return losses.CachedMultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE, mini_batch_size=settings.micro_batch)


def _guided(losses: Any, model: Any, settings: TrainingSettings, guide: Any) -> Any:
    if settings.micro_batch is None:
        return losses.GISTEmbedLoss(model, guide, temperature=TEMPERATURE)
    return losses.CachedGISTEmbedLoss(model, guide, temperature=TEMPERATURE, mini_batch_size=settings.micro_batch)


def _margin_mse(losses: Any, model: Any, _settings: TrainingSettings, _guide: Any) -> Any:
    return losses.MarginMSELoss(model, similarity_fct=_pairwise(model))


def _kl(losses: Any, model: Any, _settings: TrainingSettings, _guide: Any) -> Any:
    return losses.DistillKLDivLoss(model, similarity_fct=_pairwise(model), temperature=TEMPERATURE)


def _pairwise(model: Any) -> Any:
    """The score that the model will be searched by; these losses would take the raw product, which is no cosine for a
    model that does not end in a normalising layer.
    """
    from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

    return pairwise_dot_score if model.similarity_fn_name == "dot" else pairwise_cos_sim


LOSSES: Mapping[str, Any] = {"contrastive": _contrastive, "guided": _guided, "margin-mse": _margin_mse, "kl": _kl}
"""By the words of `TrainingSettings.loss`."""
