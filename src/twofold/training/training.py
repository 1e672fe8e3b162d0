"""`train`: fine-tunes an encoder and evaluates it on held-out queries."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.evaluation.comparing import compare
from twofold.files import folder_aside
from twofold.progress import Progress, displayed
from twofold.protocols import Encoder
from twofold.rankers.cross_encoder import CrossEncoder
from twofold.rankings import ranked
from twofold.readers.reading import read
from twofold.scores import unit_vectors
from twofold.training.auditing import Audit
from twofold.training.card import state_dimensions, write_card
from twofold.training.examples import Examples, read_examples
from twofold.training.fitting import Texts, check_installed, fit
from twofold.training.from_corpus import examples_of
from twofold.training.geometry import Geometry, geometry
from twofold.training.material import Material, gathered, held_out, looked_at, mined_in
from twofold.training.mining import MiningReport
from twofold.training.models import trainable
from twofold.training.outcome import AFTER, BEFORE, MEASURE, TrainingOutcome
from twofold.training.settings import DISTILLING, TrainingSettings
from twofold.training.teaching import Teacher, identity_of, load_teacher
from twofold.training.trainers import Curve
from twofold.training.trials import collected, runs, trial_of, trials_of
from twofold.training.working import work_folder

POOL = 10
"""Documents a dev query, found by the base, among which its answers are sought after each epoch."""


def train(
    data: str | Path,
    *,
    to: str | Path,
    base: str | Path | None = None,
    settings: TrainingSettings | None = None,
    from_corpus: bool = False,
    test: bool = False,
    also: Sequence[str | Path] = (),
    progress: Progress | bool = False,
) -> TrainingOutcome:
    """Trains an encoder on positive pairs, and measures the gain on held-out queries.

    data: a BEIR folder with training judgements, or a file of pairs. to: the new folder, which `load_encoder` and
    sentence-transformers read to the same vectors. base: the model to train, a folder or a hub name, the embedded
    default by default. from_corpus: trains on titles, headings and sentences of the documents alone, so data may be
    anything that `read` takes. test: also evaluates the folder's test split, before and after; do not use it to choose
    settings. also: other BEIR folders, whose test splits measure forgetting.

    An interrupted run resumes when it is called again; until it is done, its checkpoints are beside `to`. Raises
    InputError, ModelError, MissingExtraError.
    """
    check_installed()
    to, settings = Path(to).resolve(), settings or TrainingSettings()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError("there is something here already; name a folder that does not exist or is empty", path=to)
    folder = trainable(base)
    examples = _examples(data, settings, from_corpus=from_corpus)
    tested = [trial_of(data, "test")] if test else []
    teacher = _teacher(settings)
    encoder = load_encoder(base)
    work = _work(to, examples, settings, encoder, teacher)
    # Documents that were learned from as they are need not be encoded again for the test split.
    here = {} if from_corpus or not tested else tested.pop().asked
    others = (here, [*tested, *trials_of(also)])
    with displayed(progress, "Training", "documents, then steps") as shown:
        material = gathered(examples, encoder, settings, work, others=others, teacher=teacher, progress=shown)
        start = time.monotonic()
        texts = _texts(material, teacher if settings.loss in DISTILLING else None)
        model, curve, settings = fit(folder, encoder.contract, texts, settings, work, progress=shown)
    with folder_aside(to) as aside:
        model.save_pretrained(str(aside), create_model_card=False)
        state_dimensions(aside, settings.dimensions)
        outcome = _measured(aside, to, material, curve, settings, time.monotonic() - start)
        write_card(aside, outcome, str(base or "the embedded default"), " ".join(sys.argv))
    shutil.rmtree(work)
    return outcome


def audit_data(
    data: str | Path,
    *,
    base: str | Path | None = None,
    settings: TrainingSettings | None = None,
    from_corpus: bool = False,
    progress: Progress | bool = False,
) -> tuple[Audit, MiningReport]:
    """An audit of these data, and of what mining would drop and keep; trains nothing.

    The test split of a BEIR folder is audited too, if there is one. Raises InputError, ModelError.
    """
    settings = settings or TrainingSettings()
    examples = _examples(data, settings, from_corpus=from_corpus)
    others = [trial_of(data, "test")] if _has_test(data) else []
    own, parts = held_out(examples, settings)
    teacher = _teacher(settings)
    with (
        displayed(progress, "Looking", "documents") as shown,
        collected(load_encoder(base), own.documents(), shown) as collection,
    ):
        triplets, mined = mined_in(collection, examples, parts, settings, teacher)
    return looked_at(examples, triplets, others), mined


def _teacher(settings: TrainingSettings) -> Teacher | None:
    teacher = None if settings.teacher is None else load_teacher(settings.teacher)
    if settings.loss == "guided" and isinstance(teacher, CrossEncoder):
        raise InputError(
            f"the guided loss compares vectors, and {settings.teacher} is a cross-encoder; name an encoder"
        )
    return teacher


def _examples(data: str | Path, settings: TrainingSettings, *, from_corpus: bool) -> Examples:
    if from_corpus:
        return examples_of(read(data), Path(data).name.split(".")[0], pairs=settings.pairs, seed=settings.seed)
    return read_examples(data, pairs=settings.pairs, seed=settings.seed)


def _has_test(data: str | Path) -> bool:
    return any((Path(data) / "qrels").glob("test.tsv*"))


def _measured(
    aside: Path, to: Path, material: Material, curve: Curve, settings: TrainingSettings, seconds: float
) -> TrainingOutcome:
    examples, parts, trained = material.examples, material.parts, load_encoder(aside)
    after = runs(trained, material.trials)
    comparisons = {
        name: compare({BEFORE: material.before[name], AFTER: after[name]}, qrels, measures=[MEASURE])
        for trial in material.trials
        for name, (_, qrels) in trial.asked.items()
    }
    return TrainingOutcome(
        folder=to,
        counts=material.counts(),
        comparisons=comparisons,
        geometry=(_geometry(material.encoder, examples, parts.dev), _geometry(trained, examples, parts.dev)),
        audit=material.audit,
        mining=material.mined,
        curve=curve,
        settings=settings,
        data=examples.fingerprint,
        seconds=seconds,
    )


def _geometry(encoder: Encoder, examples: Examples, queries: list[str]) -> Geometry:
    texts = [examples.queries[query] for query in queries]
    answers = [examples.text(examples.positives[query][0]) for query in queries]
    # Alignment and uniformity are of the sphere, whatever similarity the encoder's scores go by.
    return geometry(unit_vectors(encoder.encode_queries(texts)), unit_vectors(encoder.encode_documents(answers)))


def _texts(material: Material, teacher: Teacher | None) -> Texts:
    """The trainer's input; teacher: its scores, for losses that learn them."""
    examples, parts = material.examples, material.parts
    pool = {document for query in parts.dev for document in examples.positives[query]}
    pool |= {document for query in parts.dev for document in ranked(material.before["dev"][query])[:POOL]}
    return Texts(
        material.rows(),
        None if teacher is None else material.taught_by(teacher),
        {query: examples.queries[query] for query in parts.dev},
        {document: examples.text(document) for document in sorted(pool)},
        examples.qrels(parts.dev),
    )


def _work(to: Path, examples: Examples, settings: TrainingSettings, encoder: Encoder, teacher: Teacher | None) -> Path:
    """The folder of checkpoints beside `to`; another base, other data or settings have another one."""
    models = [encoder.contract.to_json(), *([] if teacher is None else [identity_of(teacher)])]
    return work_folder(to, models, examples, settings.to_json())
