"""Small random cross-encoders of every kind that is read, with the tokenizers that their kinds have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from random_models import FEW_KEYS, LINES, SHARED, byte_level, save_random, unigram, word_pieces
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.cross_encoder.modules.logit_score import LogitScore
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CLASSIFIERS = transformers.AutoModelForSequenceClassification
ONE = {**SHARED, "num_labels": 1}
IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
END, BEGIN_TURN, END_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "<|im_start|>system\n"
    "{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}{% endif %}{% endfor %}"
    "Answer yes or no.<|im_end|>\n<|im_start|>user\n"
    "{%- for message in messages if message.role == 'query' %}\n<Query>: {{ message.content }}{% endfor %}\n"
    "{%- for message in messages if message.role == 'document' %}\n<Document>: {{ message.content }}{% endfor %}"
    "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
)


def byte_words(folder: Path) -> None:
    """A tokenizer of ModernBERT's kind: [CLS] a [SEP] b [SEP], without types."""
    byte_level(
        folder,
        ("[CLS]", "[SEP]"),
        SPECIAL,
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        tokenizer_class="PreTrainedTokenizerFast",
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=60,
    )
    file = folder / "tokenizer.json"
    stored = json.loads(file.read_text())
    ends = [{"SpecialToken": {"id": token, "type_id": 0}} for token in ("[CLS]", "[SEP]")]
    texts = [{"Sequence": {"id": text, "type_id": 0}} for text in ("A", "B")]
    stored["post_processor"]["pair"] = [ends[0], texts[0], ends[1], texts[1], ends[1]]
    file.write_text(json.dumps(stored))


def qwen_words(folder: Path) -> None:
    """A tokenizer of Qwen's kind, in which nothing begins or ends an input."""
    byte_level(
        folder,
        (None, None),
        (END, BEGIN_TURN, END_TURN),
        tokenizer_class="Qwen2Tokenizer",
        pad_token=END,
        eos_token=END_TURN,
        model_max_length=120,
    )


def roberta_words(folder: Path) -> None:
    """A tokenizer of RoBERTa's kind, as transformers saves it."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=special)
    tokenizer.train_from_iterator(LINES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    transformers.RobertaTokenizer(vocab=model["vocab"], merges=merges, model_max_length=60).save_pretrained(folder)


def mpnet_words(folder: Path) -> None:
    """A tokenizer of MPNet's kind, as transformers saves it."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    transformers.MPNetTokenizer(vocab=tokenizer.get_vocab(), model_max_length=60).save_pretrained(folder)


def distil_words(folder: Path) -> None:
    """BERT's tokenizer as DistilBERT's folders have it: without types."""
    word_pieces(folder)
    file = folder / "tokenizer_config.json"
    said = {**json.loads(file.read_text()), "tokenizer_class": "DistilBertTokenizer"}
    file.write_text(json.dumps({**said, "model_input_names": ["input_ids", "attention_mask"]}))


Kind = tuple[Callable[[], Any], Callable[[Path], None]]
KINDS: dict[str, Kind] = {
    "bert": (lambda: transformers.BertConfig(**ONE), word_pieces),
    "distilbert": (
        lambda: transformers.DistilBertConfig(
            n_layers=2, n_heads=4, dim=32, hidden_dim=48, vocab_size=500, max_position_embeddings=80, num_labels=1
        ),
        distil_words,
    ),
    "roberta": (lambda: transformers.RobertaConfig(**ONE, **IDS, type_vocab_size=1), roberta_words),
    "xlm-roberta": (lambda: transformers.XLMRobertaConfig(**ONE, **IDS, type_vocab_size=1), unigram),
    "mpnet": (lambda: transformers.MPNetConfig(**ONE, **IDS), mpnet_words),
    "modernbert": (lambda: transformers.ModernBertConfig(**ONE, local_attention=16, pad_token_id=0), byte_words),
    "modernbert, mean": (
        lambda: transformers.ModernBertConfig(
            **ONE, local_attention=16, pad_token_id=0, classifier_pooling="mean", classifier_bias=True
        ),
        byte_words,
    ),
    "gte": (lambda: transformers.GteConfig(**ONE, type_vocab_size=2), word_pieces),
    "nomic_bert": (lambda: transformers.NomicBertConfig(**ONE), word_pieces),
    "eurobert": (lambda: transformers.EuroBertConfig(**ONE, num_key_value_heads=2, pad_token_id=0), byte_words),
    "eurobert, mean": (
        lambda: transformers.EuroBertConfig(**ONE, num_key_value_heads=2, pad_token_id=0, classifier_pooling="mean"),
        byte_words,
    ),
    "qwen3": (lambda: transformers.Qwen3Config(**FEW_KEYS, num_labels=1, pad_token_id=261), qwen_words),
}
"""What it is → its configuration and its tokenizer."""


def classifier(kind: str, folder: Path, **changed: Any) -> Path:
    """A bare folder of transformers with a random classifier. changed: fields of its config.json."""
    configuration, tokenizer = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder)
    save_random(configuration(), folder, CLASSIFIERS)
    file = folder / "config.json"
    said = json.loads(file.read_text())
    if said["model_type"] == "qwen3":
        numbers = Tokenizer.from_file(str(folder / "tokenizer.json"))
        said["pad_token_id"] = numbers.token_to_id(END)
    file.write_text(json.dumps({**said, **changed}))
    return folder


def with_modules(folder: Path, **settings: Any) -> Path:
    """Transformer → Pooling → Dense → LayerNorm → Dense, as the Ettin rerankers are."""
    bare = folder / "bare"
    bare.mkdir(parents=True)
    byte_words(bare)
    save_random(transformers.ModernBertConfig(**SHARED, local_attention=16, pad_token_id=0), bare)
    torch.manual_seed(3)
    norm = LayerNorm(32)
    torch.nn.init.normal_(norm.norm.weight)
    torch.nn.init.normal_(norm.norm.bias)
    last = Dense(32, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    dense = Dense(32, 32, bias=False, activation_function=torch.nn.GELU())
    modules = [Transformer(str(bare)), Pooling(32, "cls"), dense, norm, last]
    CrossEncoder(modules=modules, device="cpu", **settings).save_pretrained(str(folder / "whole"))
    return folder / "whole"


def language_model(folder: Path, *answers: int, template: str | None = TEMPLATE, **settings: Any) -> Path:
    """A causal language model with LogitScore, as the Qwen3 rerankers are."""
    bare = folder / "bare"
    bare.mkdir(parents=True)
    qwen_words(bare)
    save_random(transformers.Qwen3Config(**FEW_KEYS), bare, transformers.AutoModelForCausalLM)
    if template is not None:
        (bare / "chat_template.jinja").write_text(template)
    modules = [Transformer(str(bare), transformer_task="text-generation"), LogitScore(*answers)]
    CrossEncoder(modules=modules, device="cpu", **settings).save_pretrained(str(folder / "whole"))
    return folder / "whole"
