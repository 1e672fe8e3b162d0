"""Something small to train: a random model, and questions whose answers share no word with them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from twofold.models.locating import find_model

RIDDLES = """
stone north, river south, cloud market, bread winter, horse letter, lamp doctor, window engine, paper violin,
garden forest, silver island, knife summer, apple castle, mirror dinner, rope pocket, candle copper, bridge wheel
"""
GOES_WITH = dict(pair.split() for pair in RIDDLES.split(","))


def small_model(folder: Path, layers: int = 2) -> Path:
    """A folder of sentence-transformers with a random BERT of some thin layers."""
    torch.manual_seed(7)
    configuration = transformers.BertConfig(
        num_hidden_layers=layers,
        num_attention_heads=2,
        hidden_size=32,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    transformers.BertModel(configuration).save_pretrained(folder / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(find_model(None).folder / name, folder / "bare")
    modules = [Transformer(str(folder / "bare"), max_seq_length=32), Pooling(32), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"))
    return folder / "model"


def write_riddles(file: Path) -> Path:
    """Pairs: questions of two words, answered by the two words that these always go with."""
    drawn = random.Random(1)
    asked = {tuple(sorted(drawn.sample(sorted(GOES_WITH), 2))) for _ in range(400)}
    rows = [{"query": f"{one} {two}", "positive": f"{GOES_WITH[one]} {GOES_WITH[two]}"} for one, two in sorted(asked)]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def write_collection(folder: Path) -> Path:
    """A BEIR folder whose test asks for documents with the words of their own titles."""
    (folder / "qrels").mkdir(parents=True)
    words = sorted({*GOES_WITH, *GOES_WITH.values()})
    titles = [f"{one} {other}" for one, other in zip(words, words[5:] + words[:5], strict=True)]
    drawn, documents, queries, judged = random.Random(2), [], [], ["query-id\tcorpus-id\tscore"]
    for number, title in enumerate(titles):
        some = drawn.sample(words, 12)
        text = f"Here: {' '.join(some[:4])}. There: {' '.join(some[4:8])}. Nowhere: {' '.join(some[8:])}."
        documents.append({"_id": f"d{number}", "title": title, "text": text})
        queries.append({"_id": f"q{number}", "text": title})
        judged.append(f"q{number}\td{number}\t1")
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged))
    return folder
