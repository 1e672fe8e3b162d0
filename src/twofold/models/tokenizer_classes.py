"""The classes that tokenizer_config.json may name, and what each is made of whatever tokenizer.json says.

transformers 5 builds these tokenizers anew from the vocabulary, and versions before it took tokenizer.json as it is; so
the two must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twofold.models.configuration import Configuration

CLASSES = {
    "bert": "Bert",
    "distilbert": "Bert",
    "gemma3_text": "Gemma",
    "gte": "XLMRoberta",
    "mpnet": "MPNet",
    "nomic_bert": "Bert",
    "qwen3": "Qwen2",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
}
"""model_type of config.json → the tokenizer's class where tokenizer_config.json names none."""
MODELS = {
    "Bert": "WordPiece",
    "DistilBert": "WordPiece",
    "Gemma": "BPE",
    "MPNet": "WordPiece",
    "Qwen2": "BPE",
    "Roberta": "BPE",
    "XLMRoberta": "Unigram",
}
"""Class → the kind of model that its tokenizer.json holds."""
AS_THEY_ARE = ("PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes that take tokenizer.json as it is."""
OWN_ENDS = ("", "Gemma", "Qwen2")
"""Classes whose inputs begin and end as tokenizer.json says; the inputs of all others, as BERT's or RoBERTa's do."""
BERT = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
ROBERTA = {"unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>"}
END_OF_TEXT = "<|endoftext|>"
SPECIAL = {
    "Bert": BERT,
    "DistilBert": BERT,
    "Gemma": {"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"},
    "MPNet": {**ROBERTA, "unk_token": "[UNK]"},
    "Qwen2": dict.fromkeys(("unk_token", "eos_token", "pad_token"), END_OF_TEXT),
    "Roberta": ROBERTA,
    "XLMRoberta": ROBERTA,
}
"""Class → its special tokens where no file names them."""
WORDPIECE = {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""What Qwen's tokenizers take for one word."""
PIECES: dict[str, dict[str, Any]] = {
    "Qwen2": {
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": QWEN_WORDS}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            ],
        },
        "model": {"byte_fallback": False, "fuse_unk": False, "dropout": None},
    },
    "Gemma": {
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "model": {"byte_fallback": True, "fuse_unk": True, "dropout": None},
    },
}
"""Class → the fields of tokenizer.json that the class itself decides."""


def differing_piece(stored: Mapping[str, Any], kind: str) -> str | None:
    """The first of the fields that the class decides, and that tokenizer.json says otherwise; None where all agree."""
    pieces = PIECES.get(kind, {})
    return next((name for name, wanted in pieces.items() if not _says(stored.get(name), wanted)), None)


def _says(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is found; more may be found beside it, such as how offsets are trimmed."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_says(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_says, found, wanted))
    return bool(found == wanted)


def special_tokens_of(kind: str, said: Configuration) -> dict[str, Any]:
    """The class's own special tokens, but for those that the file sets to null."""
    return {field: token for field, token in SPECIAL.get(kind, {}).items() if said.values.get(field, token) is not None}
