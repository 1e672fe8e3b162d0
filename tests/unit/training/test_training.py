"""A whole training run of a small random model: what it learns, what it writes, and that a killed one goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from riddles import write_collection
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer

import twofold
from twofold.encoders.loading import load_encoder, load_source
from twofold.errors import InputError
from twofold.evaluation.evaluating import evaluate_run
from twofold.readers.beir import read_beir
from twofold.training import fitting, losses
from twofold.training.outcome import TrainingOutcome
from twofold.training.settings import TrainingSettings
from twofold.training.training import train

SETTINGS = TrainingSettings(epochs=3, batch=16, learning_rate=1e-2, negatives=1, blend=1.0, dev_share=0.2, margin=1.0)


class Killed(BaseException):
    """What ends a process, as far as the run can see."""


@pytest.fixture(scope="module")
def trained(base: Path, pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOutcome:
    return train(pairs, to=tmp_path_factory.mktemp("trained") / "encoder", base=base, settings=SETTINGS)


def test_questions_that_were_never_seen_are_answered_better(trained: TrainingOutcome) -> None:
    by = trained.comparisons["dev"]
    assert by.evaluations["before"]["nDCG@10"].mean < 0.2
    assert by.evaluations["after"]["nDCG@10"].mean > 0.8
    assert by.contrasts[0].p < 0.01
    assert trained.verdicts()[0].startswith("dev: training helped, nDCG@10 +0.")
    assert trained.geometry is not None
    assert trained.geometry[1].uniformity < trained.geometry[0].uniformity
    losses = [value for _, value in trained.curve.loss]
    assert losses[-1] < losses[0] / 2


def test_the_best_epoch_is_kept(trained: TrainingOutcome) -> None:
    values = dict(trained.curve.dev)
    assert len(values) == SETTINGS.epochs
    assert values[trained.curve.best] == max(values.values())


def test_both_libraries_load_the_folder_to_the_same_vectors(trained: TrainingOutcome) -> None:
    texts = ["stone river", "north south market", "a longer text with words that were never in the training data " * 4]
    ours = load_encoder(trained.folder, precision="f32")
    theirs = SentenceTransformer(str(trained.folder), device="cpu")
    assert ours.contract.max_tokens == 32
    np.testing.assert_allclose(ours.encode_queries(texts), theirs.encode_query(texts), atol=1e-4)
    np.testing.assert_allclose(ours.encode_documents(texts), theirs.encode_document(texts), atol=1e-4)


def test_the_card_says_what_was_done(trained: TrainingOutcome) -> None:
    card = (trained.folder / "README.md").read_text()
    assert trained.data in card
    assert trained.verdicts()[0] in card
    assert str(trained.mining) in card
    assert '"learning_rate": 0.01' in card
    assert "](training.png)" in card
    assert (trained.folder / "training.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in trained.folder.parent.iterdir()] == ["encoder"]  # the checkpoints are gone


@pytest.mark.parametrize("fatal", [3, 8, 17])
def test_a_killed_run_goes_on_to_the_same_encoder(
    fatal: int, trained: TrainingOutcome, base: Path, pairs: Path, tmp_path: Path
) -> None:
    def killing(done: int, total: int | None) -> None:
        if total == 18 and done == fatal:
            raise Killed

    steps: list[int] = []
    encoded: list[int] = []

    def counting(done: int, total: int | None) -> None:
        (steps if total == 18 else encoded).append(done)

    with pytest.raises(Killed):
        train(pairs, to=tmp_path / "encoder", base=base, settings=SETTINGS, progress=killing)
    assert not (tmp_path / "encoder").exists()
    again = train(pairs, to=tmp_path / "encoder", base=base, settings=SETTINGS, progress=counting)
    assert not encoded  # what the base finds was kept
    finished_epochs = (fatal - 1) // 6
    assert steps == list(range(6 * finished_epochs + 1, 19))
    assert again.curve == trained.curve
    texts = ["stone river", "paper wheel"]
    vectors = [load_encoder(each.folder, precision="f32").encode_queries(texts) for each in (trained, again)]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-3)


def test_a_blend_lies_between_the_base_and_the_trained_weights(
    trained: TrainingOutcome, base: Path, pairs: Path, tmp_path: Path
) -> None:
    outcome = train(pairs, to=tmp_path / "half", base=base, settings=replace(SETTINGS, blend=0.5))
    start, half, whole = (load_file(folder / "model.safetensors") for folder in (base, outcome.folder, trained.folder))
    name = "encoder.layer.1.output.dense.weight"
    assert np.abs(whole[name] - start[name]).max() > 0.01
    np.testing.assert_allclose(half[name], (start[name] + whole[name]) / 2, atol=1e-4)


def test_what_changes_nothing_is_called_no_gain(base: Path, pairs: Path, tmp_path: Path) -> None:
    idle = replace(SETTINGS, learning_rate=1e-12, epochs=1)
    outcome = train(pairs, to=tmp_path / "encoder", base=base, settings=idle)
    assert outcome.verdicts()[0].startswith("dev: no gain was shown, the interval of the difference includes zero")


def test_a_folder_with_something_in_it_is_left_alone(base: Path, pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="something here already"):
        train(pairs, to=tmp_path, base=base, settings=SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_corpus_teaches_alone_and_the_test_asks_for_whole_documents(base: Path, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "riddles")
    settings = replace(SETTINGS, epochs=1, pairs=50)
    outcome = train(folder, to=tmp_path / "encoder", base=base, settings=settings, from_corpus=True, test=True)
    assert outcome.counts["training_queries"] + outcome.counts["dev_queries"] == 50
    assert list(outcome.comparisons) == ["dev", "test"]
    judged = read_beir(folder, "test")
    with twofold.create(None, load_encoder(base)) as collection:
        collection.add(judged.documents())  # whole, with the titles that were taken out of what was learned from
        expected = evaluate_run(collection.run(judged.queries, mode="dense", exact=True), judged.qrels)["nDCG@10"].mean
    assert outcome.comparisons["test"].evaluations["before"]["nDCG@10"].mean == pytest.approx(expected)


def test_what_is_done_to_other_collections_is_told(base: Path, pairs: Path, tmp_path: Path) -> None:
    other = write_collection(tmp_path / "elsewhere")
    settings = replace(SETTINGS, epochs=1)
    outcome = train(pairs, to=tmp_path / "encoder", base=base, settings=settings, also=[other])
    assert list(outcome.comparisons) == ["dev", "elsewhere"]
    by = outcome.comparisons["elsewhere"].contrasts[0].difference.mean
    assert by != 0
    assert outcome.verdicts()[-1] == f"other collections: nDCG@10 {by:+.4f} on average of 1"
    with pytest.raises(InputError, match="told apart by the names"):
        train(pairs, to=tmp_path / "again", base=base, settings=settings, also=[other, other])


def test_untied_towers_are_one_folder_that_both_libraries_read(base: Path, pairs: Path, tmp_path: Path) -> None:
    outcome = train(pairs, to=tmp_path / "untied", base=base, settings=replace(SETTINGS, towers="untied"))
    assert outcome.comparisons["dev"].evaluations["after"]["nDCG@10"].mean > 0.5
    ours = load_encoder(outcome.folder, precision="f32")
    theirs = SentenceTransformer(str(outcome.folder), device="cpu")
    texts = ["stone river", "north south market"]
    np.testing.assert_allclose(ours.encode_queries(texts), theirs.encode_query(texts), atol=1e-4)
    np.testing.assert_allclose(ours.encode_documents(texts), theirs.encode_document(texts), atol=1e-4)
    assert np.abs(ours.encode_queries(texts) - ours.encode_documents(texts)).max() > 0.01
    again = load_source(ours.source)
    np.testing.assert_allclose(again.encode_queries(texts), ours.encode_queries(texts), atol=1e-2)  # bf16 or f32
    with pytest.raises(InputError, match="a tower for each side already"):
        train(pairs, to=tmp_path / "again", base=outcome.folder, settings=SETTINGS)
    with twofold.create(tmp_path / "c.twofold", ours) as made:
        made.add([{"id": "a", "text": "stone"}, {"id": "b", "text": "river"}])
    with twofold.open(tmp_path / "c.twofold") as opened:
        assert opened.contract.query_tower == ours.contract.query_tower
        assert {hit.id for hit in opened.search("stone", mode="dense")} == {"a", "b"}


def test_adapters_are_part_of_the_weights_in_the_end_and_a_killed_run_keeps_them(
    base: Path, pairs: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, lora=4, epochs=2)

    def killing(done: int, total: int | None) -> None:
        if total == 12 and done == 9:
            raise Killed

    whole = train(pairs, to=tmp_path / "whole", base=base, settings=settings)
    with pytest.raises(Killed):
        train(pairs, to=tmp_path / "killed", base=base, settings=settings, progress=killing)
    again = train(pairs, to=tmp_path / "killed", base=base, settings=settings)
    start, one, other = (load_file(folder / "model.safetensors") for folder in (base, whole.folder, again.folder))
    assert one.keys() == start.keys()
    name = "encoder.layer.1.output.dense.weight"
    assert np.linalg.matrix_rank(one[name] - start[name], tol=1e-4) == 4
    np.testing.assert_allclose(one[name], other[name], atol=1e-4)


@pytest.mark.parametrize("loss", ["guided", "margin-mse", "kl"])
def test_every_loss_learns_the_riddles(
    loss: str, base: Path, pairs: Path, trained: TrainingOutcome, tmp_path: Path
) -> None:
    settings = replace(
        SETTINGS, loss=loss, teacher=str(trained.folder), negatives=1 if loss == "guided" else 2, epochs=4
    )
    outcome = train(pairs, to=tmp_path / loss, base=base, settings=settings)
    by = outcome.comparisons["dev"]
    assert by.evaluations["after"]["nDCG@10"].mean > by.evaluations["before"]["nDCG@10"].mean + 0.1
    assert outcome.mining.false_negatives is not None
    assert "by the teacher, who takes" in str(outcome.mining)


def test_prefixes_that_were_trained_are_stated_in_the_folder(base: Path, pairs: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1, dimensions=(16, 8))
    folder = train(pairs, to=tmp_path / "encoder", base=base, settings=settings).folder
    assert load_encoder(folder, dim=8).notes == ()
    assert "was trained for 8, 16" in load_encoder(folder, dim=12).notes[0]
    assert SentenceTransformer(str(folder), truncate_dim=8).encode("a riddle").shape == (8,)
    again = train(pairs, to=tmp_path / "again", base=folder, settings=replace(SETTINGS, epochs=1)).folder
    assert "does not say" in load_encoder(again, dim=8).notes[0]


def test_where_a_gpu_has_not_enough_memory_the_batch_is_divided(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int | None] = []
    whole = losses.loss_of

    def short(model: Any, settings: TrainingSettings, guide: Any) -> Any:
        tried.append(settings.micro_batch)
        if settings.micro_batch != 4:
            raise torch.OutOfMemoryError
        return whole(model, settings, guide)

    monkeypatch.setattr(fitting, "loss_of", short)
    outcome = train(pairs, to=tmp_path / "encoder", base=base, settings=replace(SETTINGS, epochs=1))
    assert tried == [None, 8, 4]
    assert outcome.settings.to_json()["micro_batch"] == 4


def test_the_test_split_is_asked_of_the_documents_that_are_there_already(base: Path, tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "riddles")
    (folder / "qrels" / "train.tsv").write_bytes((folder / "qrels" / "test.tsv").read_bytes())
    settings = replace(SETTINGS, epochs=1)
    outcome = train(folder, to=tmp_path / "x", base=base, settings=settings, test=True)
    assert list(outcome.comparisons) == ["dev", "test"]
    assert outcome.comparisons["test"].evaluations["before"].queries == 32
    assert outcome.audit.leaked_answers == 32
