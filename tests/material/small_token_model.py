"""A folder of a small encoder with random weights whose token states serve for late interaction, made without torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from twofold.models.locating import find_model

WIDTH, INNER = 32, 64


def small_token_model(folder: Path, seed: int = 5) -> Path:
    """The embedded encoder's tokenizer and settings, with one layer of 32 numbers and weights drawn at random."""
    found = find_model(None).folder
    shutil.copytree(found, folder)
    file, weights = folder / "config.json", folder / "model.safetensors"
    said = json.loads(file.read_text())
    said |= {"num_hidden_layers": 1, "num_attention_heads": 4, "hidden_size": WIDTH, "intermediate_size": INNER}
    cut = {384: WIDTH, 1536: INNER}
    draw = np.random.default_rng(seed)
    tensors = {}
    for name, tensor in load_file(weights).items():
        if "encoder.layer" not in name or "encoder.layer.0." in name:
            shape = [cut.get(size, size) for size in tensor.shape]
            drawn = draw.standard_normal(shape, dtype=np.float32) * 0.3
            tensors[name] = drawn + 1 if name.endswith("LayerNorm.weight") else drawn
    file.write_text(json.dumps(said))
    save_file(tensors, weights, metadata={"format": "pt"})
    return folder
