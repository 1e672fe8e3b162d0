"""Which files of a model on the hub are fetched, with a folder in place of the hub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from huggingface_hub.utils._paths import filter_repo_objects

from twofold.models import hub

Fetched = Callable[[dict[str, str]], list[str]]
MODULES = {"modules.json": "[]", "1_Pooling/config.json": "{}", "2_Dense/model.safetensors": "", "README.md": ""}
BERT = json.dumps({"model_type": "bert"})
ELECTRA = json.dumps({"model_type": "electra"})


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetched:
    """The names of what is fetched of a repository with these files."""
    there, here = tmp_path / "hub", tmp_path / "cache"

    def snapshot(_: str, *, allow_patterns: Sequence[str] = ("*",), local_files_only: bool = False) -> str:
        names = (
            [] if local_files_only else [str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()]
        )
        for name in filter_repo_objects(names, allow_patterns=list(allow_patterns)):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(there / name, here / name)
        return str(here)

    def fetch(files: dict[str, str]) -> list[str]:
        here.mkdir()
        for name, content in files.items():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            (there / name).write_text(content)
        assert hub.folder_from_hub("someone/model") == here
        first = sorted(str(path.relative_to(here)) for path in here.rglob("*") if path.is_file())
        there.rename(tmp_path / "gone")
        assert hub.folder_from_hub("someone/model") == here  # the cached copy is whole
        return first

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    return fetch


GRAPHS = {
    "onnx/model.onnx": "",
    "onnx/model.onnx_data": "",
    "onnx/model_O4.onnx": "",
    "openvino/openvino_model.xml": "",
    "openvino/openvino_model.bin": "",
}
ALWAYS = ["1_Pooling/config.json", "2_Dense/model.safetensors", "config.json", "modules.json"]


def test_a_known_architecture_needs_its_tensors_and_no_graph(fetched: Fetched) -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    files = {**MODULES, **GRAPHS, **dict.fromkeys(shards, ""), "config.json": BERT, "pytorch_model.bin": ""}
    assert fetched(files) == sorted([*ALWAYS, *shards])


def test_an_unknown_architecture_needs_its_graphs_and_no_tensors(fetched: Fetched) -> None:
    files = {**MODULES, **GRAPHS, "config.json": ELECTRA, "model.safetensors": ""}
    assert fetched(files) == sorted([*ALWAYS, *(name for name in GRAPHS if "O4" not in name)])


def test_a_known_architecture_without_tensors_needs_its_graph(fetched: Fetched) -> None:
    files = {**MODULES, "onnx/model.onnx": "", "config.json": BERT, "pytorch_model.bin": ""}
    assert fetched(files) == sorted([*ALWAYS, "onnx/model.onnx"])


def test_a_transformer_in_a_folder_of_its_own_needs_the_tensors_there(fetched: Fetched) -> None:
    files = {**MODULES, "0_Transformer/config.json": BERT, "0_Transformer/model.safetensors": "", "config.json": "{}"}
    del files["config.json"]
    files["config_sentence_transformers.json"] = "{}"
    assert set(fetched(files)) == {*files, *ALWAYS} - {"README.md", "config.json"}


def test_a_table_of_rows_needs_its_tensors(fetched: Fetched) -> None:
    files = {**MODULES, **GRAPHS, "config.json": json.dumps({"model_type": "model2vec"}), "model.safetensors": ""}
    assert fetched(files) == sorted([*ALWAYS, "model.safetensors"])
