"""Writing a model folder whose weights are in int8: the other files are copied, the weights are one file.

What is copied are the files that make the model, those that lie in the folder and in its modules' folders. Weights of
other forms, checkpoints and code stay behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twofold.files import copy_aside, write_aside
from twofold.models.folder import Prompts
from twofold.models.weights import HEADER_LENGTH_BYTES, IN_INT8, INT8_FIELD, INT8_VERSION, SIZES, Weights

COPIED = ("*.json", "*.txt", "*.jinja", "*.model", "*.md", "LICENSE*")
LAYER = ("*.safetensors",)
"""Copied as well from the folders of the layers after the pooling."""
SHARDS = "model.safetensors.index.json"
"""Names files that are one file now."""
PROMPTS = "config_sentence_transformers.json"


def write_int8(folder: Path, modules: Sequence[Path], weights: Weights, to: Path, about: Mapping[str, Any]) -> None:
    """Fills the empty folder `to`. weights: with the matrices that are to be in int8; about: JSON for the metadata.

    modules: the folders of the model's modules, the transformer's first. Raises ModelError, StorageError.
    """
    transformer = modules[0]
    for place in dict.fromkeys((folder, *modules)):
        is_layer = place not in (folder, transformer)
        for pattern in (*COPIED, *(LAYER if is_layer else ())):
            for file in place.glob(pattern):
                if file.name != SHARDS and file.is_file():
                    copy_aside(file, to / file.relative_to(folder))
    _write_weights(weights, to / transformer.relative_to(folder) / IN_INT8, {"version": INT8_VERSION, **about})


def state_prompts(folder: Path, prompts: Prompts) -> None:
    """States an encoder's prompts in its folder, as known models get theirs by their names. Raises StorageError."""
    path = folder / PROMPTS
    stated = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    named = {**(stated.get("prompts") or {}), "query": prompts.query, "document": prompts.document}
    with write_aside(path) as file:
        file.write(json.dumps({**stated, "prompts": named}, indent=2).encode())


def _write_weights(weights: Weights, path: Path, about: Mapping[str, Any]) -> None:
    """One safetensors file: the length of its header, the header, and the tensors, wide types first so that each lies
    at a multiple of its size. The library's own writer for numpy lacks bfloat16.
    """
    tensors = sorted(weights.tensors(), key=lambda each: (-SIZES[each.kind], each.name))
    header: dict[str, Any] = {"__metadata__": {INT8_FIELD: json.dumps(about, sort_keys=True)}}
    end = 0
    for each in tensors:
        start, end = end, end + each.content.size
        header[each.name] = {"dtype": each.kind, "shape": each.shape, "data_offsets": [start, end]}
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % HEADER_LENGTH_BYTES)
    with write_aside(path) as file:
        file.write(len(written).to_bytes(HEADER_LENGTH_BYTES, "little") + written)
        for each in tensors:
            file.write(each.content.data)
