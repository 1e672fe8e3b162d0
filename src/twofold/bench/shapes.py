"""Model folders of the usual sizes with random weights: they cost what the real models cost, and need no download."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.files import copy_aside, write_aside
from twofold.models.locating import find_model

WORDS, PADDING = 30_522, 0
"""Rows and padding token of the tokenizer of the embedded default, which all shapes have."""
LONG = 8_192


def _bert(transformers: Any, **sizes: int) -> Any:
    return transformers.BertConfig(vocab_size=WORDS, max_position_embeddings=512, **sizes)


SHAPES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "minilm": (
        "mean",
        lambda t: _bert(t, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536),
    ),
    "bert-base": ("mean", _bert),
    "modernbert-base": (
        "mean",
        lambda t: t.ModernBertConfig(vocab_size=WORDS, max_position_embeddings=LONG, pad_token_id=PADDING),
    ),
    "qwen3-0.6b": (
        "lasttoken",
        lambda t: t.Qwen3Config(
            vocab_size=WORDS,
            hidden_size=1024,
            intermediate_size=3072,
            num_hidden_layers=28,
            num_attention_heads=16,
            num_key_value_heads=8,
            head_dim=128,
            max_position_embeddings=LONG,
        ),
    ),
}
"""Name → how states are pooled, and the configuration, made of the module `transformers`."""


def make_shape(name: str, to: Path) -> Path:
    """Writes a folder in the sentence-transformers layout; one that is there already is left as it is.

    Raises InputError for an unknown name and for a folder that holds something else, MissingExtraError without
    transformers.
    """
    if name not in SHAPES:
        raise InputError(f"the shape {name!r} is not known; known are {', '.join(SHAPES)}")
    folder = to / name
    if (folder / "modules.json").is_file():
        return folder
    if folder.exists():
        raise InputError(f"{folder} is there and holds no model; name another folder for --to")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "bench") from error
    pooling, configuration = SHAPES[name]
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    model = transformers.AutoModel.from_config(configuration(transformers), dtype=torch.float32)
    model.save_pretrained(folder)
    _save_rest(folder, pooling, model.config.hidden_size, model.config.max_position_embeddings)
    return folder


def _save_rest(folder: Path, pooling: str, width: int, longest: int) -> None:
    """Everything but the transformer: tokenizer, longest input, pooling, and the list of modules, which comes last."""
    copy_aside(find_model(None).folder / "tokenizer.json", folder / "tokenizer.json")
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest, **special}
    _write(folder / "tokenizer_config.json", said)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False})
    os.makedirs(folder / "1_Pooling")
    modes = {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in ("mean_tokens", "lasttoken")}
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **modes})
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"))
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(kinds)
    ]
    _write(folder / "modules.json", modules)


def _write(path: Path, values: Any) -> None:
    with write_aside(path) as file:
        file.write(json.dumps(values, indent=1).encode())
