"""Cross-encoders: what they count, and what they refuse in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_cross_encoders import classifier, language_model, with_modules
from safetensors.numpy import load_file, save_file

import twofold
from twofold.errors import InputError, ModelError, QueryError, TwofoldError
from twofold.models.int8_products import beside_int8
from twofold.models.locating import find_model
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.reports import EncodingReport

TEXTS = ["Grace Hopper wrote it.", "The cell is small.", "", "It's the work of 1952."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier("bert", tmp_path_factory.mktemp("cross") / "small-bert")


@pytest.fixture(scope="module")
def model(folder: Path) -> CrossEncoder:
    return load_cross_encoder(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "copied")


def changed(folder: Path, name: str, **fields: Any) -> None:
    file = folder / name
    file.write_text(json.dumps({**(json.loads(file.read_text()) if file.exists() else {}), **fields}))


def test_a_cross_encoder_is_named_by_its_folder(model: CrossEncoder) -> None:
    assert model.name == "small-bert"
    assert model.max_tokens == 60
    assert repr(model).startswith("<CrossEncoder small-bert: 60 tokens")
    assert twofold.CrossEncoder is CrossEncoder


def test_texts_are_ranked_by_their_scores_and_then_by_their_place(model: CrossEncoder) -> None:
    scores = model.scores("who wrote it?", [*TEXTS, TEXTS[1]])
    assert scores.dtype == np.float32
    ranked = model.rank("who wrote it?", [*TEXTS, TEXTS[1]])
    assert [each.score for each in ranked] == sorted(scores.tolist(), reverse=True)
    places = [each.position for each in ranked]
    assert sorted(places) == [0, 1, 2, 3, 4]
    assert places.index(4) == places.index(1) + 1
    assert model.rank("who wrote it?", [*TEXTS, TEXTS[1]], top_k=2) == ranked[:2]


def test_no_texts_have_no_scores(model: CrossEncoder) -> None:
    assert model.scores("who?", []).shape == (0,)
    assert model.rank("who?", []) == []


def test_a_document_that_is_too_long_loses_its_end_and_is_counted(model: CrossEncoder) -> None:
    long = "small cells are " * 40
    report = EncodingReport()
    scores = model.scores("who?", ["cells", long, long + "and more"], report=report)
    assert scores[1] == scores[2]
    assert list(report.cut) == [1, 2]
    assert (report.texts, report.cut[2] > report.cut[1]) == (3, True)
    model.scores("who?", [long], report=report)
    assert list(report.cut) == [1, 2, 3]


def test_a_side_to_cut_on_is_followed(copied: Path) -> None:
    changed(copied, "tokenizer_config.json", truncation_side="left")
    model = load_cross_encoder(copied)
    long = "small cells are " * 40
    assert model.scores("who?", [long])[0] == model.scores("who?", ["and more " + long])[0]


def test_a_question_that_leaves_no_room_is_refused(model: CrossEncoder, tmp_path: Path) -> None:
    question = "small cells are " * 40
    with pytest.raises(QueryError, match="ask a shorter question"):
        model.scores(question, ["cells"])
    assert model.scores("a", [""]).shape == (1,)
    asked = load_cross_encoder(language_model(tmp_path, 7, 9))
    with pytest.raises(QueryError, match="ask a shorter question"):
        asked.scores(question, ["cells"])


def test_lone_surrogates_are_replaced_and_counted(model: CrossEncoder) -> None:
    report = EncodingReport()
    scores = model.pair_scores([("a \ud800", "b \udfff"), ("a \ufffd", "b \ufffd")], report=report)
    assert scores[0] == scores[1]
    assert report.surrogates == 2


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: model.scores("who?", "one text"), "list of texts"),
        (lambda model: model.scores("who?", ["a", None]), "pair 1"),
        (lambda model: model.scores(3, ["a"]), "pair 0"),
        (lambda model: model.pair_scores([("a", "b"), "cd"]), "pair 1"),
        (lambda model: model.rank("who?", ["a"], top_k=0), "top_k"),
    ],
)
def test_what_is_no_text_is_refused(model: CrossEncoder, ask: Callable[[CrossEncoder], Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ask(model)


def test_no_name_says_which_there_are() -> None:
    for name in (None, ""):
        with pytest.raises(ModelError, match=r"cross-encoder/ms-marco-MiniLM-L6-v2.*ettin"):
            load_cross_encoder(name)


def test_an_encoder_is_no_cross_encoder() -> None:
    with pytest.raises(ModelError, match="load_encoder"):
        load_cross_encoder(find_model(None).folder)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "another architecture": ("config.json", {"model_type": "electra"}, "'electra' is not known as a cross-encoder"),
    "a head that is not known": (
        "config.json",
        {"model_type": "gemma3_text", "head_dim": 8},
        "a classifier of the model_type 'gemma3_text'",
    ),
    "an activation of one's own": (
        "config.json",
        {"sentence_transformers": {"activation_fn": "os.system"}},
        r"activation_fn 'os.system' is not known; known are torch.nn.Identity",
    ),
    "an activation that torch has": (
        "config.json",
        {"sbert_ce_default_activation_function": "torch.nn.Softmax"},
        "Softmax",
    ),
    "no head": ("config.json", {"architectures": ["BertModel"]}, "no head that scores a pair"),
    "architectures that are no list": ("config.json", {"architectures": 3}, "names nothing"),
    "labels without numbers": ("config.json", {"id2label": {"x": "y"}}, "id2label"),
    "an encoder's settings": ("config_sentence_transformers.json", {"model_type": "SentenceTransformer"}, "model_type"),
    "a prompt that is not there": ("config_sentence_transformers.json", {"default_prompt_name": "x"}, "'x' is not"),
    "another task": ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "transformer_task"),
    "another output": (
        "sentence_bert_config.json",
        {"modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}},
        "logits by forward",
    ),
    "a tokenizer that joins in another way": ("tokenizer_config.json", {"tokenizer_class": "MPNetTokenizer"}, "MPNet"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_folder_that_is_not_understood_is_refused_by_name(what: str, copied: Path) -> None:
    name, fields, said = REFUSED[what]
    changed(copied, name, **fields)
    with pytest.raises(TwofoldError, match=said):
        load_cross_encoder(copied)


@pytest.mark.parametrize(
    "modules",
    [
        ["sentence_transformers.models.CNN"],
        ["sentence_transformers.models.Transformer", "sentence_transformers.models.Dense"],
        ["sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling"],
        ["sentence_transformers.models.Transformer", "my.own.LogitScore"],
        [],
    ],
)
def test_modules_that_are_not_known_are_refused_by_name(modules: list[str], copied: Path) -> None:
    listed = [{"type": kind, "path": ""} for kind in modules]
    (copied / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(ModelError, match=r"known are|not one of"):
        load_cross_encoder(copied)


def test_a_last_layer_that_makes_no_scores_is_refused(tmp_path: Path) -> None:
    folder = with_modules(tmp_path)
    changed(folder / "4_Dense", "config.json", module_output_name="sentence_embedding")
    with pytest.raises(ModelError, match="module_output_name"):
        load_cross_encoder(folder)
    changed(folder / "4_Dense", "config.json", module_output_name="scores", activation_function="torch.nn.GELU")
    with pytest.raises(ModelError, match="the last module must be a Dense"):
        load_cross_encoder(folder)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for m in messages %}{{ m.content }}{% if m.role == 'query' %}?{% endif %}{% endfor %}", ""),
        ("{{ messages[0].content | trim }} | {{ messages[1].content | trim }}!", ""),
        ("{{ messages[0].content[0].text }} | {{ messages[1].content[0].text }}!", "changes"),
        ("{{ messages[1].content }} | {{ messages[0].content }}", "in this order"),
        ("{{ messages[0].content }} and that is all", "in this order"),
        ("{{ messages[0].content | upper }} | {{ messages[1].content | upper }}", "it changes the texts"),
        ("{% if messages[0].role != 'user' %}{{ raise_exception('a user speaks first') }}{% endif %}", "a user speaks"),
        ("{{ messages[0].__class__.__mro__ }}", "SecurityError"),
        ("{% for", "cannot be read as a template"),
    ],
)
def test_a_template_takes_a_pair_or_is_refused(template: str, said: str, tmp_path: Path) -> None:
    folder = language_model(tmp_path, 7, 9)
    (folder / "chat_template.jinja").write_text(template)
    if said in ("", "changes"):
        settings = folder / "sentence_bert_config.json"
        stated = json.loads(settings.read_text())
        if said:
            stated["modality_config"]["message"]["format"] = "structured"
        settings.write_text(json.dumps(stated))
        assert np.isfinite(load_cross_encoder(folder).scores("who?", TEXTS)).all()
        return
    with pytest.raises(ModelError, match=said):
        load_cross_encoder(folder)


def test_answers_outside_the_vocabulary_are_refused(tmp_path: Path) -> None:
    folder = language_model(tmp_path, 7, 9)
    changed(folder / "1_LogitScore", "config.json", true_token_id=4000)
    with pytest.raises(ModelError, match="4000"):
        load_cross_encoder(folder)
    (folder / "modules.json").unlink()
    with pytest.raises(ModelError, match="'yes' and 'no'"):
        load_cross_encoder(folder)


def test_several_labels_need_the_one_that_is_meant(copied: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    tensors |= {
        "classifier.weight": np.ones((2, 32), dtype=np.float32) * np.array([[1], [2]], dtype=np.float32),
        "classifier.bias": np.zeros(2, dtype=np.float32),
    }
    save_file(tensors, copied / "model.safetensors")
    changed(copied, "config.json", id2label={"0": "unrelated", "1": "related"})
    with pytest.raises(ModelError, match=r"2 labels \(0 'unrelated', 1 'related'\).*label=NAME"):
        load_cross_encoder(copied)
    by_name, by_number = (load_cross_encoder(copied, label=label).scores("a", TEXTS) for label in ("related", 1))
    np.testing.assert_array_equal(by_name, by_number)
    for label in ("other", 2, -1, True):
        with pytest.raises(InputError, match="has no label"):
            load_cross_encoder(copied, label=label)


def test_a_model_of_one_score_has_no_labels(folder: Path) -> None:
    with pytest.raises(InputError, match="has no labels"):
        load_cross_encoder(folder, label="yes")


def test_weights_that_are_no_numbers_are_named(copied: Path) -> None:
    tensors = load_file(copied / "model.safetensors")
    tensors["classifier.weight"][0, 3] = np.nan
    save_file(tensors, copied / "model.safetensors")
    with pytest.raises(ModelError, match=r"'classifier.weight' holds NaN"):
        load_cross_encoder(copied).scores("who?", TEXTS)


def test_types_that_the_model_does_not_have_are_refused(tmp_path: Path) -> None:
    folder = classifier("roberta", tmp_path / "roberta")
    words = classifier("bert", tmp_path / "bert")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(words / name, folder)
    with pytest.raises(ModelError, match="type 1"):
        load_cross_encoder(folder)


def test_int8_rounds_the_weights_and_scores_nearly_the_same_alone_and_in_a_batch(folder: Path) -> None:
    rounded = load_cross_encoder(folder, precision="int8", threads=1)
    assert rounded.precision == ("f32" if beside_int8() is None else "int8")
    exact = load_cross_encoder(folder, precision="f32").scores("who wrote it?", TEXTS)
    scores = rounded.scores("who wrote it?", TEXTS)
    assert 0 < np.abs(scores - exact).max() < 0.05
    alone = [rounded.scores("who wrote it?", [text])[0] for text in TEXTS]
    assert alone == scores.tolist()


def test_a_cross_encoder_runs_on_another_device(folder: Path) -> None:
    other = load_cross_encoder(folder, device="torch:cpu", precision="f32")
    exact = load_cross_encoder(folder, precision="f32")
    assert (other.device, exact.device) == ("torch:cpu", "cpu")
    np.testing.assert_allclose(other.scores("who?", TEXTS), exact.scores("who?", TEXTS), atol=1e-4)
    with pytest.raises(InputError, match="device must be one of"):
        load_cross_encoder(folder, device="gpu")


def test_a_precision_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="precision must be one of auto, f32, bf16, int8, not 'int4'"):
        load_cross_encoder(folder, precision="int4")
