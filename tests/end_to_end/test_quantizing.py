"""`quantize` and `--precision int8` on the command line, and a processor without products of int8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from random_cross_encoders import classifier

Twofold = Callable[..., Any]

WITHOUT_INT8 = """
import json
from twofold.encoders.loading import load_encoder
from twofold.models.int8_products import beside_int8
encoder = load_encoder(precision="int8")
first = encoder.encode_queries(["water"])[0].tolist()
plain = load_encoder(precision="f32").encode_queries(["water"])[0].tolist()
print(json.dumps([beside_int8(), encoder.precision, encoder.notes, encoder.contract.quantization,
                  sum(a * b for a, b in zip(first, plain))]))
"""


def test_a_folder_in_int8_is_written_indexed_and_searched(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    folder, collection = tmp_path / "int8", tmp_path / "c"
    done = twofold("quantize", "all-MiniLM-L6-v2", "--to", folder, "--texts", articles, "--json").json
    assert (done["rounded"], done["losses"]["your texts"]["texts"]) == (37, 8)
    assert done["bytes_after"] < 0.28 * done["bytes_before"]
    assert twofold("index", articles, "--to", collection, "--encoder", folder).status == 0
    found = twofold("search", collection, "a hot drink", "--mode", "dense", "-k", "1", "--json")
    assert "Tea" in found.out
    refused = twofold("search", collection, "a hot drink", "--encoder", "all-MiniLM-L6-v2")
    assert refused.status == 1
    assert "quantization is '', the collection has 'int8'" in refused.err


def test_a_cross_encoder_in_int8_is_written_and_orders_what_is_found(
    tmp_path: Path, embedded: Path, twofold: Twofold
) -> None:
    folder, rounded = classifier("bert", tmp_path / "plain"), tmp_path / "int8"
    done = twofold("quantize", folder, "--to", rounded)
    assert f"twofold search COLLECTION QUERY --rerank {rounded}" in done.out
    assert "mean difference" in done.out
    found = [twofold("search", embedded, "a hot drink", "--rerank", each, "--json") for each in (folder, rounded)]
    asked = twofold("search", embedded, "a hot drink", "--rerank", folder, "--rerank-precision", "int8", "--json")
    scores = [[hit["score"] for hit in each.json["hits"]] for each in (*found, asked)]
    assert scores[0] != scores[1] == scores[2]
    refused = twofold("quantize", folder, "--to", tmp_path / "other", "--texts", folder / "config.json")
    assert (refused.status, (tmp_path / "other").exists()) == (2, False)
    assert "--texts goes with an encoder" in refused.err


def test_a_collection_in_int8_is_searched_with_other_threads(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    assert twofold("index", articles, "--to", tmp_path / "c", "--precision", "int8").status == 0
    assert twofold("search", tmp_path / "c", "a hot drink", "--threads", "1").status == 0
    refused = twofold("search", tmp_path / "c", "a hot drink", "--precision", "f32")
    assert (refused.status, "quantization" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-folder/model/x", "--to", "new"], "is no folder"),
        ([".", "--to", "new"], "config.json"),
        (["all-MiniLM-L6-v2", "--to", "."], "there is something here already"),
        (["all-MiniLM-L6-v2", "--to", "new", "--texts", "missing.txt"], "missing.txt"),
    ],
)
def test_bad_input_ends_with_status_1_and_nothing_written(
    tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("mine")
    done = twofold("quantize", *words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_where_int8_does_not_run_its_weights_are_computed_with_in_f32() -> None:
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_INT8], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    beside, precision, notes, quantization, cosine = json.loads(done.stdout)
    if beside is not None:
        pytest.skip("ONEDNN_MAX_CPU_ISA does not take products of int8 from this processor")
    assert (precision, quantization) == ("f32", "int8")
    assert any("no products of int8" in note for note in notes)
    assert 0.99 < cosine < 0.999999
