"""Spans of a text have vectors that depend on text and span alone; what cannot make them says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from random_models import CONFIGURATIONS, save_random

from twofold.collection.opening import create
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.passages.windows import windows
from twofold.reports import EncodingReport
from twofold.scores import Vectors

LONG = " ".join(f"In the year {1900 + n} the river rose by {n} feet, and the town moved uphill." for n in range(60))
SHORT = "Iron oxide gives the surface its colour. Two moons circle the planet."


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    return TransformerEncoder(threads=1)


def vectors(encoder: TransformerEncoder, text: str, *spans: tuple[int, int]) -> Vectors:
    return encoder.encode_spans([text], [np.array(spans, np.int32)])


def test_a_spans_vector_has_the_same_bits_in_any_batch_and_beside_any_span(encoder: TransformerEncoder) -> None:
    spans = np.array([(0, 400), (350, 1500), (1500, len(LONG))], np.int32)
    alone = np.concatenate([vectors(encoder, LONG, (start, end)) for start, end in spans.tolist()])
    others = [SHORT, LONG, LONG[:900]]
    among = encoder.encode_spans(others, [np.array([(0, 9)], np.int32), spans, np.array([(0, 900)], np.int32)])
    np.testing.assert_array_equal(among[1:4], alone)


def test_what_stands_around_a_span_changes_its_vector(encoder: TransformerEncoder) -> None:
    sentence = "It grew fast."
    city, tree = f"Berlin is a city. {sentence}", f"The oak is a tree. {sentence}"
    first, second = (vectors(encoder, each, (len(each) - len(sentence), len(each)))[0] for each in (city, tree))
    questions = encoder.encode_queries(["the growth of a city", "the growth of a tree"])
    assert first @ questions[0] > second @ questions[0]
    assert second @ questions[1] > first @ questions[1]


def test_a_long_text_is_read_to_its_end_and_counted(encoder: TransformerEncoder) -> None:
    report = EncodingReport()
    spans = [np.array([(0, len(LONG))], np.int32)]
    encoder.encode_spans([LONG], spans, report=report)
    assert report.texts == 1
    assert report.tokens > len(encoder.spans([LONG])[0])
    assert not report.cut
    changed = f"{LONG[:-9]}downhill."
    last = len(LONG) - 40
    assert not np.array_equal(
        vectors(encoder, LONG, (last, len(LONG))), vectors(encoder, changed, (last, len(changed)))
    )


def test_a_span_without_a_token_has_the_vector_of_the_token_before(encoder: TransformerEncoder) -> None:
    text = "one   two"
    found = vectors(encoder, text, (4, 6), (0, 3))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_text_without_tokens_is_refused(encoder: TransformerEncoder) -> None:
    with pytest.raises(InputError, match="text 0 has no token"):
        vectors(encoder, "  ", (0, 2))


def test_a_pooling_of_one_token_is_refused_when_a_collection_is_made(tmp_path: Path) -> None:
    folder = with_pooling(tmp_path, "cls")
    with pytest.raises(InputError, match="pools by cls"):
        create(None, folder, passages={"tokens": 32}, context="document")


def with_pooling(folder: Path, mode: str) -> Path:
    """A random ModernBERT with the tokenizer of the embedded model."""
    source = TransformerEncoder(threads=1).folder.path
    configuration = CONFIGURATIONS["modernbert"]()
    configuration.vocab_size = 30_522
    save_random(configuration, folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (source / name).exists():
            (folder / name).write_bytes((source / name).read_bytes())
    (folder / "pooling").mkdir()
    (folder / "pooling" / "config.json").write_text(json.dumps({"pooling_mode": mode}))
    kinds = {"Transformer": "", "Pooling": "pooling"}
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (kind, path) in enumerate(kinds.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


@pytest.fixture(scope="module")
def random_encoder(tmp_path_factory: pytest.TempPathFactory) -> TransformerEncoder:
    return TransformerEncoder(with_pooling(tmp_path_factory.mktemp("random"), "mean"), threads=1, precision="f32")


def test_a_span_is_the_mean_of_its_tokens_states(random_encoder: TransformerEncoder) -> None:
    model = transformers.AutoModel.from_pretrained(random_encoder.folder.path).eval()
    ids = random_encoder.query_tokens([SHORT])
    states = model(input_ids=torch.tensor(ids)).last_hidden_state[0].detach().numpy()
    start = SHORT.index("Two")
    first = 1 + len(random_encoder.spans([SHORT[:start]])[0])
    found = vectors(random_encoder, SHORT, (0, start), (start, len(SHORT)))
    expected = [states[1:first].mean(axis=0), states[first:-1].mean(axis=0)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_model_with_rotary_positions_gives_the_same_bits_too(random_encoder: TransformerEncoder) -> None:
    spans = np.array([(0, 300), (300, len(LONG))], np.int32)
    among = random_encoder.encode_spans([SHORT, LONG], [np.array([(0, 9)], np.int32), spans])
    np.testing.assert_array_equal(among[1:], vectors(random_encoder, LONG, *map(tuple, spans.tolist())))


def test_a_token_is_taken_from_the_window_in_which_it_is_farther_from_both_ends(tmp_path: Path) -> None:
    folder, prompt = with_pooling(tmp_path, "mean"), "told here: "
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 40}))
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "", "document": prompt}})
    )
    encoder = TransformerEncoder(folder, threads=1, precision="f32")
    tokens = encoder.spans([LONG])[0][:100]
    text, before = LONG[: int(tokens[-1, 1])], 1 + len(encoder.spans([prompt])[0])
    room = 40 - before - 1
    model = transformers.AutoModel.from_pretrained(folder).eval()
    options: dict[int, list[tuple[int, Vectors]]] = {}
    for start, end in windows(tokens, len(text), room, room // 4).tolist():
        ids = encoder.query_tokens([prompt + text[start:end]])
        states = model(input_ids=torch.tensor(ids)).last_hidden_state[0].detach().numpy()[before:-1]
        first = int(np.searchsorted(tokens[:, 0], start))
        for place, state in enumerate(states):
            options.setdefault(first + place, []).append((min(place, len(states) - 1 - place), state))
    assert max(map(len, options.values())) == 2
    found = vectors(encoder, text, *map(tuple, tokens.tolist()))
    for number, vector in enumerate(found):
        farthest = max(distance for distance, _ in options[number])
        assert any(distance == farthest and np.allclose(vector, s, atol=1e-4) for distance, s in options[number])
