"""The same model in other libraries, as their users call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from twofold.errors import MissingExtraError
from twofold.files import write_aside
from twofold.models.folder import read_model_folder
from twofold.models.layers import Normalize
from twofold.models.locating import find_model
from twofold.scores import Vectors

Encode = Callable[[Sequence[str]], Vectors]

REFERENCE = "sentence-transformers, torch f32"
BACKENDS = ("openvino", "onnx")


def reference_encoder(model: str | None, backend: str = "torch") -> Encode:
    """The model in sentence-transformers; MissingExtraError where that is missing."""
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "bench") from error
    logging.disable_progress_bar()
    peer: Any = SentenceTransformer(str(find_model(model).folder), device="cpu", backend=backend)
    return lambda texts: np.asarray(peer.encode(list(texts), show_progress_bar=False), dtype=np.float32)


def other_encoders(model: str | None) -> tuple[dict[str, Encode], list[str]]:
    """The model on other runtimes by the name of the row, and of those that cannot be loaded here, why not."""
    loaded: dict[str, Encode] = {}
    lacking = []
    makers: dict[str, Callable[[], Encode]] = {
        f"sentence-transformers, {backend}": partial(reference_encoder, model, backend) for backend in BACKENDS
    }
    makers["fastembed"] = partial(_fastembed, model)
    for name, make in makers.items():
        try:
            loaded[name] = make()
        except Exception as error:  # noqa: BLE001 - other libraries raise what they like, and the bench goes on
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            lacking.append(f"left out: {name} ({first[:120]})")
    return loaded, lacking


def _fastembed(model: str | None) -> Encode:
    """The model as sentence-transformers exports it, since fastembed's own names need the network."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType
    from sentence_transformers import SentenceTransformer

    found = read_model_folder(find_model(model).folder)
    poolings = {"mean": PoolingType.MEAN, "cls": PoolingType.CLS}
    if len(found.modes) != 1 or found.modes[0] not in poolings:
        raise ValueError(f"it pools by {' or '.join(poolings)}, and this model by {'+'.join(found.modes)}")
    exported = TemporaryDirectory(prefix="twofold-onnx-")
    peer: Any = SentenceTransformer(str(found.path), device="cpu", backend="onnx")
    peer.save_pretrained(exported.name)
    _cut_at(Path(exported.name), found.max_tokens)
    name, dimension = Path(exported.name).name, peer.get_sentence_embedding_dimension()
    is_unit = any(isinstance(layer, Normalize) for layer in found.layers)
    TextEmbedding.add_custom_model(name, poolings[found.modes[0]], is_unit, ModelSource(hf=name), dimension)
    embedding: Any = TextEmbedding(name, specific_model_path=exported.name)

    return partial(_embedded, embedding, exported)


def _cut_at(folder: Path, tokens: int) -> None:
    """Makes fastembed read as much of a text as the others do: it goes by the tokenizer's own settings."""
    file = folder / "tokenizer_config.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    with write_aside(file) as written:
        written.write(json.dumps({**said, "max_length": tokens, "model_max_length": tokens}).encode())


def _embedded(embedding: Any, _: TemporaryDirectory[str], texts: Sequence[str]) -> Vectors:
    """The folder is named so that it lasts as long as the model that was read from it."""
    return np.array(list(embedding.embed(list(texts))), dtype=np.float32)
