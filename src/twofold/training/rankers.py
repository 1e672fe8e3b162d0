"""`train_cross_encoder`: fine-tunes a cross-encoder, and measures what it adds to the first stage."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.documents import titled
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.evaluation.comparing import compare
from twofold.files import folder_aside
from twofold.models.locating import find_model
from twofold.models.weights import Weights, weight_files
from twofold.progress import Progress, displayed
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.rankings import Run, ranked
from twofold.training.card import write_card
from twofold.training.examples import read_examples
from twofold.training.fitting import check_installed
from twofold.training.hardware import has_bf16, has_cuda
from twofold.training.material import Material, gathered
from twofold.training.models import WITHOUT_ATTENTION_DROPOUT
from twofold.training.outcome import AFTER, BEFORE, MEASURE, TrainingOutcome
from twofold.training.ranker_settings import RankerSettings
from twofold.training.trainers import Curve, curve_of, plain, run_to_end
from twofold.training.trials import trial_of
from twofold.training.working import work_folder

DEV = "eval_dev_ndcg@10"


@dataclass(frozen=True, slots=True)
class _Given:
    """Rows of query, answer and negatives; and for each held-out query its answers and its candidates, as texts."""

    rows: Sequence[tuple[str, ...]]
    samples: Sequence[Mapping[str, Any]]


def train_cross_encoder(
    data: str | Path,
    *,
    to: str | Path,
    base: str | Path | None = None,
    encoder: str | Path | None = None,
    settings: RankerSettings | None = None,
    test: bool = False,
    progress: Progress | bool = False,
) -> TrainingOutcome:
    """Trains a cross-encoder on positive pairs and mined negatives, and measures it on held-out queries.

    data: a BEIR folder with training judgements, or a file of pairs. to: the new folder, which `load_cross_encoder` and
    sentence-transformers read to the same scores. base: the model to train, a cross-encoder or an encoder that gets a
    new head; the embedded encoder by default. encoder: the first stage, which finds negatives and candidates; the
    embedded one by default. test: also evaluates the folder's test split. Before is the first stage's dense search,
    after are its first `settings.depth` documents in the new order.

    An interrupted run resumes when it is called again; until it is done, its checkpoints are beside `to`. Raises
    InputError, ModelError, MissingExtraError.
    """
    check_installed()
    to, settings = Path(to).resolve(), settings or RankerSettings()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError("there is something here already; name a folder that does not exist or is empty", path=to)
    folder, first = find_model(base, bare=True).folder, TransformerEncoder(encoder)
    examples = read_examples(data, pairs=settings.pairs, seed=settings.seed)
    here = trial_of(data, "test").asked if test else {}
    models = [Weights(weight_files(folder)).fingerprint, first.contract.to_json()]
    work = work_folder(to, models, examples, {"kind": "cross-encoder", **settings.to_json()})
    with displayed(progress, "Training", "documents, then steps") as shown:
        material = gathered(examples, first, settings.mining(), work, others=(here, []), teacher=None, progress=shown)
        start = time.monotonic()
        model, curve = _fit(folder, _given(material, settings), settings, work, shown)
    with folder_aside(to) as aside:
        model.save_pretrained(str(aside), create_model_card=False)
        outcome = _measured(load_cross_encoder(aside), to, material, curve, settings, time.monotonic() - start)
        write_card(aside, outcome, str(base or "the embedded default"), " ".join(sys.argv))
    shutil.rmtree(work)
    return outcome


def _given(material: Material, settings: RankerSettings) -> _Given:
    examples, parts = material.examples, material.parts
    rows = [
        (examples.queries[each.query], *(examples.text(document) for document in (each.positive, *each.negatives)))
        for each in material.triplets
    ]
    samples = [
        {
            "query": examples.queries[query],
            "positive": [examples.text(each) for each in examples.positives[query]],
            "documents": [examples.text(each) for each in _first(material.before["dev"], query, settings)],
        }
        for query in parts.dev
    ]
    return _Given(rows, samples)


def _first(run: Run, query: str, settings: RankerSettings) -> list[str]:
    """The candidates of a query, in the first stage's order."""
    return ranked(run[query])[: settings.depth]


def _fit(base: Path, given: _Given, settings: RankerSettings, work: Path, progress: Progress) -> tuple[Any, Curve]:
    """The sentence-transformers model of the best epoch, and the curve."""
    from sentence_transformers import CrossEncoder as Trained
    from sentence_transformers.cross_encoder import CrossEncoderTrainer
    from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
    from transformers import set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    set_seed(settings.seed)
    model = Trained(
        str(base), num_labels=1, device=None if has_cuda() else "cpu", config_kwargs=dict(WITHOUT_ATTENTION_DROPOUT)
    )
    trainer = plain(CrossEncoderTrainer)(
        model=model,
        args=_arguments(len(given.rows), settings, work),
        train_dataset=_dataset(given.rows, settings),
        loss=_loss(model, settings),
        evaluator=CrossEncoderRerankingEvaluator(
            given.samples, at_k=10, always_rerank_positives=False, name="dev", batch_size=32, write_csv=False
        ),
    )
    run_to_end(trainer, work, progress)
    return model.eval(), curve_of(trainer.state, DEV)


def _dataset(rows: Sequence[tuple[str, ...]], settings: RankerSettings) -> Any:
    from datasets import Dataset

    if settings.loss == "listwise":
        labels = [[1.0] + [0.0] * settings.negatives for _ in rows]
        return Dataset.from_dict(
            {"query": [row[0] for row in rows], "docs": [list(row[1:]) for row in rows], "labels": labels}
        )
    pairs = [(row[0], text, float(place == 0)) for row in rows for place, text in enumerate(row[1:])]
    return Dataset.from_dict(dict(zip(("query", "document", "label"), zip(*pairs, strict=True), strict=True)))


def _loss(model: Any, settings: RankerSettings) -> Any:
    import torch
    from sentence_transformers.cross_encoder import losses

    if settings.loss == "listwise":
        return losses.ListNetLoss(model)
    return losses.BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(settings.negatives)))


def _arguments(rows: int, settings: RankerSettings, work: Path) -> Any:
    from sentence_transformers.cross_encoder import CrossEncoderTrainingArguments

    pairs = 1 if settings.loss == "listwise" else 1 + settings.negatives
    steps = max(1, -(-rows // settings.batch) * settings.epochs)
    return CrossEncoderTrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch * pairs,
        learning_rate=settings.learning_rate,
        warmup_steps=round(settings.warmup * steps),
        use_cpu=not has_cuda(),
        bf16=has_bf16(),
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=DEV,
        greater_is_better=True,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _measured(
    model: CrossEncoder, to: Path, material: Material, curve: Curve, settings: RankerSettings, seconds: float
) -> TrainingOutcome:
    examples, parts = material.examples, material.parts
    (trial,) = material.trials
    texts = {each.id: titled(each.title, each.text) for each in trial.documents()}
    comparisons = {}
    for name, (queries, qrels) in trial.asked.items():
        first = material.before[name]
        found = {query: _first(first, query, settings) for query in queries}
        after = _ordered(model, queries, found, texts)
        comparisons[name] = compare({BEFORE: first, AFTER: after}, qrels, measures=[MEASURE])
    pairs = sum(len(examples.positives[query]) for query in parts.train)
    counts = {"training_queries": len(parts.train), "training_pairs": pairs, "dev_queries": len(parts.dev)}
    counts |= {"documents": len(examples.documents), "near_duplicate_queries_kept_together": parts.near}
    return TrainingOutcome(
        folder=to,
        counts=counts,
        comparisons=comparisons,
        geometry=None,
        audit=material.audit,
        mining=material.mined,
        curve=curve,
        settings=settings,
        data=examples.fingerprint,
        seconds=seconds,
        way=f"dense search, and its first {settings.depth} documents ordered by the cross-encoder",
    )


def _ordered(
    model: CrossEncoder, queries: Mapping[str, str], found: Mapping[str, Sequence[str]], texts: Mapping[str, str]
) -> Run:
    """The candidates of each query with the cross-encoder's scores. texts: by document id."""
    scores = iter(model.pair_scores([(queries[query], texts[each]) for query, ids in found.items() for each in ids]))
    return {query: {each: float(next(scores)) for each in ids} for query, ids in found.items()}
