"""`train_cross_encoder`: fine-tunes a cross-encoder, and measures what it adds to the first stage."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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
from twofold.training.hardware import has_cuda
from twofold.training.losses import TEMPERATURE, dataset
from twofold.training.material import Material, gathered
from twofold.training.models import WITHOUT_ATTENTION_DROPOUT
from twofold.training.outcome import AFTER, BEFORE, MEASURE, TrainingOutcome
from twofold.training.ranker_settings import BY_PAIRS, TAUGHT, RankerSettings
from twofold.training.teaching import Teacher, identity_of, load_teacher
from twofold.training.trainers import Curve, common_arguments, curve_of, plain, run_to_end
from twofold.training.trials import trial_of
from twofold.training.working import work_folder

DEV = "eval_dev_ndcg@10"


@dataclass(frozen=True, slots=True)
class _Given:
    """Rows of query, answer and negatives; for each held-out query its answers and its candidates, as texts; and a
    teacher's logits of each row's documents, where the loss learns them.
    """

    rows: Sequence[tuple[str, ...]]
    samples: Sequence[Mapping[str, Any]]
    logits: Sequence[Sequence[float]]


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
    teacher = None if settings.teacher is None else load_teacher(settings.teacher)
    models = [Weights(weight_files(folder)).fingerprint, first.contract.to_json()]
    models += [] if teacher is None else [identity_of(teacher)]
    work = work_folder(to, models, examples, {"kind": "cross-encoder", **settings.to_json()})
    with displayed(progress, "Training", "documents, then steps") as shown:
        material = gathered(
            examples, first, settings.mining(), work, others=(here, []), teacher=teacher, progress=shown
        )
        start = time.monotonic()
        model, curve = _fit(folder, _given(material, settings, teacher), settings, work, shown)
    with folder_aside(to) as aside:
        model.save_pretrained(str(aside), create_model_card=False)
        outcome = _measured(load_cross_encoder(aside), to, material, curve, settings, time.monotonic() - start)
        write_card(aside, outcome, str(base or "the embedded default"), " ".join(sys.argv))
    shutil.rmtree(work)
    return outcome


def _given(material: Material, settings: RankerSettings, teacher: Teacher | None) -> _Given:
    examples, parts = material.examples, material.parts
    samples = [
        {
            "query": examples.queries[query],
            "positive": [examples.text(each) for each in examples.positives[query]],
            "documents": [examples.text(each) for each in _first(material.before["dev"], query, settings)],
        }
        for query in parts.dev
    ]
    scores = material.taught_by(teacher) if teacher is not None and settings.loss in TAUGHT else []
    return _Given(material.rows(), samples, [[score / TEMPERATURE for score in each] for each in scores])


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
        train_dataset=_dataset(given, settings),
        loss=_loss(model, settings),
        evaluator=CrossEncoderRerankingEvaluator(
            given.samples, at_k=10, always_rerank_positives=False, name="dev", batch_size=32, write_csv=False
        ),
    )
    run_to_end(trainer, work, progress)
    return model.eval(), curve_of(trainer.state, DEV)


def _dataset(given: _Given, settings: RankerSettings) -> Any:
    from datasets import Dataset

    rows, loss = given.rows, settings.loss
    if loss == "listwise":
        labels = [[1.0] + [0.0] * settings.negatives for _ in rows]
        return Dataset.from_dict(
            {"query": [row[0] for row in rows], "docs": [list(row[1:]) for row in rows], "labels": labels}
        )
    if loss == "margin-mse":
        return dataset(rows, given.logits)
    targets = given.logits if loss == "mse" else [[1.0] + [0.0] * settings.negatives for _ in rows]
    pairs = [
        (row[0], text, target)
        for row, each in zip(rows, targets, strict=True)
        for text, target in zip(row[1:], each, strict=True)
    ]
    return Dataset.from_dict(dict(zip(("query", "document", "label"), zip(*pairs, strict=True), strict=True)))


def _loss(model: Any, settings: RankerSettings) -> Any:
    import torch
    from sentence_transformers.cross_encoder import losses

    makers: dict[str, Callable[[], Any]] = {
        "listwise": lambda: losses.ListNetLoss(model),
        "bce": lambda: losses.BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(settings.negatives))),
        "mse": lambda: losses.MSELoss(model),
        "margin-mse": lambda: losses.MarginMSELoss(model),
    }
    return makers[settings.loss]()


def _arguments(rows: int, settings: RankerSettings, work: Path) -> Any:
    from sentence_transformers.cross_encoder import CrossEncoderTrainingArguments

    by_pairs = settings.loss in BY_PAIRS
    return CrossEncoderTrainingArguments(
        **common_arguments(rows, settings, work, DEV),
        per_device_train_batch_size=settings.batch * (1 + settings.negatives if by_pairs else 1),
    )


def _measured(
    model: CrossEncoder, to: Path, material: Material, curve: Curve, settings: RankerSettings, seconds: float
) -> TrainingOutcome:
    examples = material.examples
    (trial,) = material.trials
    texts = {each.id: titled(each.title, each.text) for each in trial.documents()}
    comparisons = {}
    for name, (queries, qrels) in trial.asked.items():
        first = material.before[name]
        found = {query: _first(first, query, settings) for query in queries}
        after = _ordered(model, queries, found, texts)
        comparisons[name] = compare({BEFORE: first, AFTER: after}, qrels, measures=[MEASURE])
    return TrainingOutcome(
        folder=to,
        counts=material.counts(),
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
