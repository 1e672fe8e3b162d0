"""Small random cross-encoders, run here and by sentence-transformers: every head, kind of folder and activation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from random_cross_encoders import KINDS, classifier, language_model, with_modules
from sentence_transformers import CrossEncoder

from twofold.models.heads import applied
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.reports import EncodingReport

PAIRS = [
    ("Who wrote the first compiler?", "It's Grace Hopper's work of 1952."),
    ("Who wrote the first compiler?", ""),
    ("cells", "The mitochondrion is the powerhouse of the cell; cells are small. " * 9),
    ("東京", "東京は日本の首都です。 Über Café naïve"),
    ("find", " what answers\nquery passage "),
    ("the cell is small", "a" * 70),
]


def assert_same_scores(folder: Path, pairs: list[tuple[str, str]] = PAIRS) -> None:
    theirs = CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    expected = theirs.predict(pairs, batch_size=len(pairs))
    found = load_cross_encoder(folder, precision="f32").pair_scores(pairs)
    assert len(set(expected.tolist())) > 2, "pairs that all score alike prove nothing"
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_of_transformers_scores_as_there(kind: str, tmp_path: Path) -> None:
    folder = classifier(kind, tmp_path, sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity"})
    pairs = PAIRS if kind != "qwen3" else [pair for pair in PAIRS if len(pair[1]) < 100]
    assert_same_scores(folder, pairs)


def test_a_classifier_saved_with_modules_scores_as_there(tmp_path: Path) -> None:
    bare = classifier("bert", tmp_path / "bare")
    CrossEncoder(str(bare), device="cpu", activation_fn=torch.nn.Tanh()).save_pretrained(str(tmp_path / "whole"))
    assert (tmp_path / "whole" / "modules.json").is_file()
    assert_same_scores(tmp_path / "whole")


def test_the_second_text_of_a_bert_pair_has_a_type_of_its_own(tmp_path: Path) -> None:
    model = load_cross_encoder(classifier("bert", tmp_path), precision="f32")
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_input_names": ["input_ids", "attention_mask"]}))
    assert not np.allclose(
        load_cross_encoder(tmp_path, precision="f32").pair_scores(PAIRS), model.pair_scores(PAIRS), atol=1e-5
    )
    assert_same_scores(tmp_path)


@pytest.mark.parametrize("settings", [{}, {"prompts": {"query": "find: "}, "default_prompt_name": "query"}])
def test_modules_that_end_in_a_dense_layer_score_as_there(settings: dict[str, object], tmp_path: Path) -> None:
    assert_same_scores(with_modules(tmp_path, **settings))


@pytest.mark.parametrize("answers", [(7, 9), (7,)])
def test_a_language_model_that_is_asked_by_a_template_scores_as_there(answers: tuple[int, ...], tmp_path: Path) -> None:
    pairs = [pair for pair in PAIRS if len(pair[1]) < 100]
    assert_same_scores(language_model(tmp_path, *answers, activation_fn=torch.nn.Identity()), pairs)


def test_a_template_gets_the_prompt_as_its_instruction(tmp_path: Path) -> None:
    pairs = [pair for pair in PAIRS if len(pair[1]) < 100]
    prompts = {"query": "Given a question, judge. "}
    folder = language_model(tmp_path, 7, 9, prompts=prompts, default_prompt_name="query")
    assert_same_scores(folder, pairs)
    other = load_cross_encoder(folder, precision="f32", prompt="Judge the code. ").pair_scores(pairs)
    expected = CrossEncoder(str(folder), device="cpu").predict(pairs, prompt="Judge the code. ")
    np.testing.assert_allclose(other, expected, atol=1e-4, rtol=1e-4)


def test_a_template_keeps_its_end_where_the_document_is_cut(tmp_path: Path) -> None:
    folder = language_model(tmp_path, 7, 9, activation_fn=torch.nn.Identity())
    long = [("who", "small cells " * n) for n in (1, 20, 40, 400)]
    assert_same_scores(folder, long)
    report = EncodingReport()
    load_cross_encoder(folder, precision="f32").pair_scores(long, report=report)
    assert max(report.cut) == 3


def test_a_language_model_without_a_template_reads_one_text_after_the_other(tmp_path: Path) -> None:
    folder = language_model(tmp_path, 7, 9, template=None, activation_fn=torch.nn.Identity())
    assert_same_scores(folder, [pair for pair in PAIRS if len(pair[1]) < 100])


@pytest.mark.parametrize("named", ["torch.nn.modules.linear.Identity", "torch.nn.Sigmoid", "torch.nn.Tanh"])
@pytest.mark.parametrize("older", [False, True])
def test_the_activation_is_the_one_that_the_configuration_names(named: str, older: bool, tmp_path: Path) -> None:
    stated = {"sbert_ce_default_activation_function": named}
    assert_same_scores(
        classifier("bert", tmp_path, **(stated if older else {"sentence_transformers": {"activation_fn": named}}))
    )


def test_without_an_activation_one_logit_goes_through_the_sigmoid(tmp_path: Path) -> None:
    assert_same_scores(classifier("bert", tmp_path))


def test_a_label_is_scored_by_its_log_odds(tmp_path: Path) -> None:
    labels = {"id2label": {"0": "no", "1": "maybe", "2": "yes"}, "label2id": {"no": 0, "maybe": 1, "yes": 2}}
    folder = classifier("bert", tmp_path)
    model = torch.nn.Linear(32, 3)
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors |= {"classifier.weight": model.weight.detach() * 9, "classifier.bias": model.bias.detach()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **labels}))
    expected = CrossEncoder(str(folder), device="cpu").predict(PAIRS, apply_softmax=True)
    for label, column in (("yes", 2), (0, 0)):
        found = load_cross_encoder(folder, precision="f32", label=label).pair_scores(PAIRS)
        np.testing.assert_allclose(applied("sigmoid", found), expected[:, column], atol=1e-4)
