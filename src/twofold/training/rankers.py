"""`train_ranker`: fine-tunes a cross-encoder or late interaction, and measures what it adds to the first stage."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from twofold.documents import titled
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.evaluation.comparing import compare
from twofold.files import folder_aside
from twofold.models.locating import find_model
from twofold.models.weights import Weights, weight_files
from twofold.progress import Progress, displayed
from twofold.protocols import PairRanker
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.rankers.late_interaction import load_late_interaction
from twofold.rankings import Run, ranked
from twofold.training.card import write_card
from twofold.training.examples import read_examples
from twofold.training.fitting import check_installed
from twofold.training.losses import TEMPERATURE
from twofold.training.material import Material, gathered
from twofold.training.outcome import AFTER, BEFORE, MEASURE, TrainingOutcome
from twofold.training.ranker_fitting import RankerTexts, fit_cross_encoder, fit_late_interaction
from twofold.training.ranker_settings import CROSS_ENCODER, LATE_INTERACTION, TAUGHT, RankerSettings
from twofold.training.teaching import Teacher, identity_of, load_teacher
from twofold.training.trainers import Curve
from twofold.training.trials import trial_of
from twofold.training.working import work_folder

FITTING = {CROSS_ENCODER: fit_cross_encoder, LATE_INTERACTION: fit_late_interaction}
LOADED: Mapping[str, Callable[[Path], PairRanker]] = {
    CROSS_ENCODER: load_cross_encoder,
    LATE_INTERACTION: load_late_interaction,
}


def train_ranker(
    data: str | Path,
    *,
    to: str | Path,
    base: str | Path | None = None,
    encoder: str | Path | None = None,
    settings: RankerSettings | None = None,
    test: bool = False,
    progress: Progress | bool = False,
) -> TrainingOutcome:
    """Trains a ranker on positive pairs and mined negatives, and measures it on held-out queries.

    data: a BEIR folder with training judgements, or a file of pairs. to: the new folder, which `load_cross_encoder` or
    `load_late_interaction`, as `settings.kind` says, and sentence-transformers read to the same scores. base: the model
    to train, one of the kind or an encoder that gets a new head; the embedded encoder by default. encoder: the first
    stage, which finds negatives and candidates; the embedded one by default. test: also evaluates the folder's test
    split. Before is the first stage's dense search, after are its first `settings.depth` documents in the new order.

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
    work = work_folder(to, models, examples, settings.to_json())
    with displayed(progress, "Training", "documents, then steps") as shown:
        material = gathered(
            examples, first, settings.mining(), work, others=(here, []), teacher=teacher, progress=shown
        )
        start = time.monotonic()
        model, curve = FITTING[settings.kind](folder, _texts(material, settings, teacher), settings, work, shown)
    with folder_aside(to) as aside:
        model.save_pretrained(str(aside), create_model_card=False)
        outcome = _measured(LOADED[settings.kind](aside), to, material, curve, settings, time.monotonic() - start)
        write_card(aside, outcome, str(base or "the embedded default"), " ".join(sys.argv))
    shutil.rmtree(work)
    return outcome


def _texts(material: Material, settings: RankerSettings, teacher: Teacher | None) -> RankerTexts:
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
    return RankerTexts(material.rows(), samples, [[score / TEMPERATURE for score in each] for each in scores])


def _first(run: Run, query: str, settings: RankerSettings) -> list[str]:
    """The candidates of a query, in the first stage's order."""
    return ranked(run[query])[: settings.depth]


def _measured(
    model: PairRanker, to: Path, material: Material, curve: Curve, settings: RankerSettings, seconds: float
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
        way=f"dense search, and its first {settings.depth} documents ordered by the trained {settings.kind} model",
    )


def _ordered(
    model: PairRanker, queries: Mapping[str, str], found: Mapping[str, Sequence[str]], texts: Mapping[str, str]
) -> Run:
    """The candidates of each query with the model's scores. texts: by document id."""
    scores = iter(model.pair_scores([(queries[query], texts[each]) for query, ids in found.items() for each in ids]))
    return {query: {each: float(next(scores)) for each in ids} for query, ids in found.items()}
