"""Small random late-interaction models in every kind of folder that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from random_models import SHARED, save_random, unigram, word_pieces
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.multi_vector_encoder.modules import HierarchicalTokenPooling, MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Normalize

TOKENS = {"module_input_name": "token_embeddings"}


def _backbone(folder: Path, kind: str = "bert", added: tuple[str, ...] = ()) -> Path:
    configuration: Any = {
        "bert": transformers.BertConfig(**SHARED),
        "modernbert": transformers.ModernBertConfig(**SHARED, local_attention=16, pad_token_id=0),
    }[kind]
    save_random(configuration, folder)
    word_pieces(folder)
    if added:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        tokenizer.add_tokens(list(added))
        tokenizer.save_pretrained(folder)
    return folder


def _dense(wide: int, narrow: int, **options: Any) -> Any:
    torch.manual_seed(wide + narrow)
    return Dense(wide, narrow, bias=False, activation_function=torch.nn.Identity(), **TOKENS, **options)


def multi_vector(
    folder: Path,
    *,
    kind: str = "bert",
    skipped: tuple[str, ...] = (),
    pooling: dict[str, Any] | None = None,
    prompts: dict[str, str] | None = None,
    similarity: str = "maxsim",
    **options: Any,
) -> Path:
    """A folder as sentence-transformers 6 saves it. options: of its Transformer."""
    backbone = _backbone(folder / "backbone", kind, added=tuple((prompts or {}).values()))
    modules = [
        Transformer(str(backbone), max_seq_length=40, **options),
        _dense(32, 24, use_residual=True),
        _dense(24, 16),
        MultiVectorMask(skiplist_words=list(skipped)),
        Normalize(module_input_name="token_embeddings"),
        *([] if pooling is None else [HierarchicalTokenPooling(**pooling)]),
    ]
    model = MultiVectorEncoder(modules=modules, prompts=prompts, similarity_fn_name=similarity, device="cpu")
    model.save_pretrained(str(folder / "whole"))
    return folder / "whole"


def pylate(folder: Path, *, kind: str = "bert", **said: Any) -> Path:
    """A folder as PyLate 1.6 saves it. said: fields of its config_sentence_transformers.json."""
    _backbone(folder, kind, added=("[Q] ", "[D] "))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 31, "do_lower_case": False}))
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for number, (wide, narrow) in enumerate([(32, 24), (24, 16)], start=1):
        residual = number == 1
        place = folder / f"{number}_Dense"
        place.mkdir()
        layer = _dense(wide, narrow, use_residual=residual)
        save_file(layer.state_dict(), place / "model.safetensors")
        settings: dict[str, Any] = {
            "in_features": wide,
            "out_features": narrow,
            "bias": False,
            "use_residual": residual,
        }
        settings["activation_function"] = "torch.nn.modules.linear.Identity"
        (place / "config.json").write_text(json.dumps(settings))
        modules.append({"idx": number, "name": str(number), "path": place.name, "type": "pylate.models.Dense.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    usual: dict[str, Any] = {
        "model_type": "ColBERT",
        "similarity_fn_name": "MaxSim",
        "prompts": {},
        "default_prompt_name": None,
    }
    lengths = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 16, "document_length": 30}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({**usual, **lengths, **said}))
    return folder


def stanford(folder: Path, **said: Any) -> Path:
    """A checkpoint of Stanford's ColBERT, as its library saves it. said: fields of artifact.metadata."""
    _backbone(folder, added=("[unused0]", "[unused1]"))
    tensors = {f"bert.{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    tensors["linear.weight"] = _dense(32, 16).linear.weight.detach().contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "architectures": ["HF_ColBERT"]}))
    usual = {"query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 16, "doc_maxlen": 30}
    (folder / "artifact.metadata").write_text(json.dumps({**usual, **said}))
    return folder


def three_heads(folder: Path) -> Path:
    """BGE-M3 as FlagEmbedding saves it: XLM-RoBERTa, and two linear layers in files of their own."""
    ids = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    save_random(transformers.XLMRobertaConfig(**SHARED, **ids, type_vocab_size=1), folder)
    unigram(folder)
    torch.manual_seed(11)
    for name, size in (("colbert_linear", 24), ("sparse_linear", 1)):
        torch.save(torch.nn.Linear(32, size).state_dict(), folder / f"{name}.pt")
    return folder
