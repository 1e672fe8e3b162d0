"""Small random models of the architectures with rotary positions, and small tokenizers of the kinds they come with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.models.embedding_gemma2.configuration_embedding_gemma2 import EmbeddingGemma2TextConfig

from twofold.models.architectures import architecture_of, text_part
from twofold.models.configuration import Configuration
from twofold.models.graphs import Inputs
from twofold.models.rotary import RotaryTable
from twofold.models.tokenizer_classes import QWEN_WORDS
from twofold.models.weights import Weights, weight_files

LONGEST = 400
SIZES = {"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 48}
SHARED = {**SIZES, "vocab_size": 500, "max_position_embeddings": LONGEST, "initializer_range": 0.2}
FEW_KEYS = {**SHARED, "num_key_value_heads": 2, "head_dim": 16}
ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
GEMMA = {**FEW_KEYS, "sliding_window": 20, "query_pre_attn_scalar": 24, "sliding_window_pattern": 2}

CONFIGURATIONS: dict[str, Callable[[], Any]] = {
    "modernbert": lambda: transformers.ModernBertConfig(**SHARED, **ENDS, local_attention=16),
    "qwen3": lambda: transformers.Qwen3Config(**FEW_KEYS),
    "qwen3 with windows": lambda: transformers.Qwen3Config(
        **FEW_KEYS, use_sliding_window=True, sliding_window=9, max_window_layers=2
    ),
    "gemma3_text": lambda: transformers.Gemma3TextConfig(**GEMMA, use_bidirectional_attention=True),
    "gemma3_text, causal": lambda: transformers.Gemma3TextConfig(**GEMMA),
    "embedding_gemma2_text": lambda: EmbeddingGemma2TextConfig(
        **FEW_KEYS,
        global_head_dim=24,
        num_global_key_value_heads=1,
        sliding_window=7,
        sliding_window_pattern=2,
        hidden_size_per_layer_input=12,
        embedding_dim=20,
    ),
    "eurobert": lambda: transformers.EuroBertConfig(**SHARED, **ENDS, num_key_value_heads=2),
    "nomic_bert": lambda: transformers.NomicBertConfig(**SHARED),
    "gte": lambda: transformers.GteConfig(**SHARED),
    "gte without types": lambda: transformers.GteConfig(**{**SHARED, "type_vocab_size": 0}),
}
"""What it is → its configuration."""


TABLES: dict[str, Callable[[], Any]] = {
    "bert": lambda: transformers.BertConfig(**SHARED),
    "roberta": lambda: transformers.RobertaConfig(**SHARED, pad_token_id=1),
    "mpnet": lambda: transformers.MPNetConfig(**SHARED),
    "distilbert": lambda: transformers.DistilBertConfig(
        n_layers=2, n_heads=4, dim=32, hidden_dim=48, vocab_size=500, initializer_range=0.2
    ),
}
"""Architectures whose positions come from a table, likewise."""


def save_random(configuration: Any, folder: Path, kind: Any = transformers.AutoModel) -> Path:
    """A random model of this configuration; its norms and biases are random as well. kind: which of its classes."""
    torch.manual_seed(7)
    model = kind.from_config(configuration)
    with torch.no_grad():
        for name, parameter in (*model.named_parameters(), *model.named_buffers()):
            if any(part in name.lower() for part in ("norm", "bias", "layer_scalar")):
                parameter.add_(torch.randn_like(parameter) * 0.2)
            if "q_norm" in name and "embedding_gemma2" in configuration.model_type:
                # Its scores are not divided by the root of a head's width: large ones would magnify all roundings.
                parameter.mul_(0.3)
    model.save_pretrained(folder)
    return folder


Tokens = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Ids and mask, each (inputs, tokens)."""


def states_here(folder: Path, batches: Sequence[Tokens], weights: Weights | None = None) -> list[NDArray[np.float32]]:
    """The states that our graph makes of each batch, in f32. weights: others than the folder's."""
    configuration = text_part(Configuration.read(folder / "config.json"))
    architecture = architecture_of(configuration)
    frequencies = architecture.rotary(configuration)
    inputs = Inputs(
        ids=op.parameter([-1, -1], np.int32),
        mask=op.parameter([-1, -1], np.float32),
        rotary={kind: op.parameter([-1, -1], np.float32) for kind in frequencies},
    )
    states = architecture.hidden_states(configuration, weights or Weights(weight_files(folder)), inputs)
    graph = openvino.Model([op.result(states)], [inputs.ids, inputs.mask, *inputs.rotary.values()], "states")
    settings = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    compiled = openvino.Core().compile_model(graph, "CPU", settings)
    tables = [RotaryTable(each) for each in frequencies.values()]
    return [compiled([*each, *(table.rows(each[0].shape[1]) for table in tables)])[0].copy() for each in batches]


def states_there(folder: Path, batches: Sequence[Tokens]) -> list[NDArray[np.float32]]:
    """The states that transformers makes of each, in float32."""
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return [
            model(torch.from_numpy(ids).long(), torch.from_numpy(mask).long()).last_hidden_state.numpy()
            for ids, mask in batches
        ]


LINES = [
    "Who wrote the first compiler? It's Grace Hopper's work of 1952.",
    "The mitochondrion is the powerhouse of the cell; cells are small.",
    "東京は日本の首都です。 Über Café naïve: find what answers query passage",
] * 3
PLAIN = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}


def byte_level(folder: Path, ends: tuple[str | None, str | None], special: tuple[str, ...], **said: Any) -> None:
    """A tokenizer of bytes, as Qwen, ModernBERT and EuroBERT have; `ends` begin and end every input."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(QWEN_WORDS), "isolated", False)
    byte_words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_words])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
    _save(tokenizer, folder, ends, special, said)


def gemma_words(folder: Path, ends: tuple[str | None, str | None], **said: Any) -> None:
    """A tokenizer of Gemma's kind: spaces become ▁, and what is not in the vocabulary becomes bytes."""
    special = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous", False)
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=450, special_tokens=[*special, *bytes_]))
    stored = json.loads(tokenizer.to_str())
    stored["added_tokens"] = [token for token in stored["added_tokens"] if token["content"] in special]
    _save(Tokenizer.from_str(json.dumps(stored)), folder, ends, special, said)


def unigram(folder: Path) -> None:
    """A tokenizer of XLM-RoBERTa's kind, as transformers saves it."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator(LINES, trainer)
    vocabulary = [*map(tuple, json.loads(tokenizer.to_str())["model"]["vocab"]), ("<mask>", 0.0)]
    transformers.XLMRobertaTokenizer(vocab=vocabulary, model_max_length=60).save_pretrained(folder)


def word_pieces(folder: Path) -> None:
    """A tokenizer of BERT's kind, as transformers saves it."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    transformers.BertTokenizer(vocab=tokenizer.get_vocab(), model_max_length=60).save_pretrained(folder)


def _save(
    tokenizer: Tokenizer,
    folder: Path,
    ends: tuple[str | None, str | None],
    special: tuple[str, ...],
    said: dict[str, Any],
) -> None:
    tokenizer.add_special_tokens(list(special))
    numbers = {token: tokenizer.token_to_id(token) for token in special}
    begin, end = ends
    single = " ".join(part for part in (begin, "$A", end) if part)
    named = [(token, numbers[token]) for token in ends if token]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=f"{single} $B", special_tokens=named)
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {str(number): {"content": token, **PLAIN} for token, number in numbers.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added, **said}))
