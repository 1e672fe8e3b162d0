"""Texts around the boundaries of blocks and up to thousands of tokens: transformers' states, and equal bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from random_models import CONFIGURATIONS, Tokens, save_random, states_here, states_there

from twofold.models.batches import Ladder

LENGTHS = (127, 128, 129, 255, 256, 257, 400, 513, 1000, 2049)
LONGEST = 2400
OLDER: dict[str, dict[str, Any]] = {
    "modernbert": {"layer_types": None, "global_attn_every_n_layers": 2, "local_attention": 100},
    "gemma3_text": {"layer_types": None, "sliding_window_pattern": 3, "sliding_window": 90},
    "gemma3_text, causal": {"layer_types": None, "sliding_window_pattern": 3, "sliding_window": 300},
    "qwen3 with windows": {"layer_types": None, "sliding_window": 130},
}
"""Fields of older configurations, with windows of other sizes."""
CASES: list[tuple[str, dict[str, Any]]] = [(what, {}) for what in CONFIGURATIONS] + list(OLDER.items())


def saved(what: str, fields: dict[str, Any], folder: Path) -> Path:
    save_random(CONFIGURATIONS[what](), folder)
    file = folder / "config.json"
    said = {**json.loads(file.read_text()), **fields, "max_position_embeddings": LONGEST}
    file.write_text(json.dumps(said))
    return folder


def padded(length: int) -> Tokens:
    """Two texts of this padded length: one as long as it may be, one a token longer than the next smaller length."""
    longest = Ladder(None).length(length)
    ids = np.random.default_rng(length).integers(5, 400, (2, longest)).astype(np.int32)
    mask = np.ones((2, longest), dtype=np.float32)
    mask[1, length:] = 0
    return ids, mask


@pytest.mark.parametrize(("what", "fields"), CASES, ids=lambda value: value if isinstance(value, str) else bool(value))
def test_states_of_all_lengths_are_those_of_transformers(what: str, fields: dict[str, Any], tmp_path: Path) -> None:
    transformers.logging.set_verbosity_error()
    folder = saved(what, fields, tmp_path)
    windowed = what in OLDER or what == "embedding_gemma2_text"
    batches = [padded(length) for length in (LENGTHS if windowed else LENGTHS[-2:])]
    for (_, mask), found, expected in zip(
        batches, states_here(folder, batches), states_there(folder, batches), strict=True
    ):
        np.testing.assert_allclose(found[mask > 0], expected[mask > 0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("what", ["modernbert", "gemma3_text", "gemma3_text, causal", "qwen3", "eurobert"])
def test_a_long_text_has_the_same_bits_alone_and_in_a_batch(what: str, tmp_path: Path) -> None:
    folder = saved(what, {}, tmp_path)
    for length in (300, 1024, 2049):
        ids, mask = padded(length)
        many = (np.concatenate([ids, ids[::-1]]), np.concatenate([mask, mask[::-1]]))
        alone, other, together = states_here(folder, [(ids[:1], mask[:1]), (ids[1:], mask[1:]), many])
        for row, expected in enumerate((alone, other, other, alone)):
            assert together[row].tobytes() == expected[0].tobytes()
