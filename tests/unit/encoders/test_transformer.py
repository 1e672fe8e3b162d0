"""The transformer encoder's own manners: truncation, reports, contracts, processes, network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest

from twofold.encoders.loading import load_encoder, load_source
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError, ModelError, TruncationError
from twofold.models.int8_products import has_bf16
from twofold.models.locating import find_model

QUIET_ENCODING = """
import socket
def refuse(*args, **kwargs):
    raise SystemExit(f"a connection was tried: {args}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.socket.sendto = refuse
from twofold.encoders.loading import load_encoder
print(load_encoder().encode_queries(["water"]).shape)
import sys
print(sorted({"torch", "transformers", "sentence_transformers", "huggingface_hub", "onnxruntime"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    return load_encoder()


def test_a_text_that_is_too_long_is_an_error_where_that_was_asked_for() -> None:
    strict = load_encoder(on_truncation="error")
    assert strict.encode_documents(["word " * 254]).shape == (1, 384)
    with pytest.raises(TruncationError, match="text 1 is 255 tokens long and the encoder takes at most 254"):
        strict.encode_documents(["short", "word " * 255])
    assert strict.encode_documents(["still usable"]).shape == (1, 384)


@pytest.mark.parametrize(
    "settings", [{"on_truncation": "ignore"}, {"precision": "int3"}, {"threads": 0}, {"threads": True}]
)
def test_settings_that_are_not_known_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError):
        load_encoder(**settings)  # type: ignore[arg-type]


def test_bf16_is_refused_where_the_processor_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Processor:
        def get_property(self, *_: str) -> list[str]:
            return ["FP32"]

    monkeypatch.setattr(openvino, "Core", Processor)
    has_bf16.cache_clear()
    try:
        assert load_encoder().precision == "f32"
        with pytest.raises(ModelError, match="bf16"):
            load_encoder(precision="bf16")
    finally:
        has_bf16.cache_clear()


def test_the_contract_is_that_of_the_default(encoder: TransformerEncoder) -> None:
    contract = encoder.contract
    assert (contract.dimension, contract.pooling, contract.layers) == (384, "mean", ("normalize",))
    assert contract == load_encoder(find_model(None).folder, precision="f32").contract


def test_the_token_limit_is_what_special_tokens_leave(encoder: TransformerEncoder) -> None:
    assert encoder.token_limit == 254


def test_threads_do_not_change_the_bits(encoder: TransformerEncoder) -> None:
    texts = [f"text {n} " * (n + 1) for n in range(12)]
    np.testing.assert_array_equal(load_encoder(threads=1).encode_documents(texts), encoder.encode_documents(texts))


def test_an_unknown_kind_of_encoder_is_named() -> None:
    with pytest.raises(InputError, match="'oracle'"):
        load_source({"kind": "oracle"})


def test_encoding_opens_no_connection_and_needs_no_torch(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", QUIET_ENCODING],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(1, 384)", "[]"]


FORKING = """
import os, sys
import numpy as np
from twofold.encoders.loading import load_encoder
encoder = load_encoder(query_tower={tower}, precision="f32")
texts = ["water", "a longer text " * 40]
before = encoder.encode_documents(texts) if "{when}" == "after" else None
for generation in range(3):
    if child := os.fork():
        status = os.waitpid(child, 0)[1]
        again = encoder.encode_documents(texts)
        same = before is None or np.array_equal(again, before)
        print(encoder.encode_queries(texts).shape, same, status, flush=True)
        break
    before = encoder.encode_documents(texts) if before is None else before
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("tower", ["None", "'static'"])
@pytest.mark.parametrize("parallel", ["true", "false"])
def test_an_encoder_is_used_on_both_sides_of_a_fork_whether_it_has_encoded_or_not(
    when: str, tower: str, parallel: str
) -> None:
    code = FORKING.replace("{when}", when).replace("{tower}", tower)
    words, asked = [sys.executable, "-c", code], {**os.environ, "TOKENIZERS_PARALLELISM": parallel}
    done = subprocess.run(words, env=asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.splitlines() == ["(2, 384) True 0"] * 3, done.stderr
    assert done.returncode == 0
