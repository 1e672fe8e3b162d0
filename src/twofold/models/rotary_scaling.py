"""Rotary frequencies stretched for longer texts than a model was trained on: some slowed, some left, some in between.

In float32, in the order in which transformers computes them: at the 8,000th token another last bit is an angle of a
thousandth.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.configuration import Configuration

Frequencies = NDArray[np.float32]
Scaled = tuple[Frequencies, float]
"""Frequencies, and what cosines and sines are multiplied by."""


def yarn(said: Configuration, frequencies: Frequencies, base: float, trained: int) -> Scaled:
    """Peng et al. 2023, "YaRN: Efficient Context Window Extension of Large Language Models", §3.

    said: the rotary object of config.json. frequencies: (half the width of a head,), of this base. trained: the longest
    text of the training, in tokens. Raises ModelError for values that give no frequencies.
    """
    factor = said.above_zero("factor")
    # Zero, and null, are the paper's own bounds.
    fast, slow = said.number("beta_fast", 0) or 32.0, said.number("beta_slow", 0) or 1.0
    if base <= 1 or min(fast, slow) <= 0:
        raise ModelError(f"{said.path}: yarn needs a rope_theta above 1, and beta_fast and beta_slow above 0")
    width = 2 * len(frequencies)
    low, high = (width * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(base)) for turns in (fast, slow))
    if said.truth("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, width - 1)
    high += 0.001 if low == high else 0
    ramp = (np.arange(len(frequencies), dtype=np.float32) - np.float32(low)) / np.float32(high - low)
    kept = 1 - np.clip(ramp, 0, 1)
    slowed = 1 / (np.float32(factor) * (1 / frequencies))
    return (slowed * (1 - kept) + frequencies * kept).astype(np.float32), _magnitude(said, factor)


def llama3(said: Configuration, frequencies: Frequencies, _base: float, trained: int) -> Scaled:
    """Grattafiori et al. 2024, "The Llama 3 Herd of Models", as their code has it; otherwise as `yarn`."""
    factor, low, high = (said.above_zero(name) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    if high <= low:
        raise ModelError(f"{said.path}: high_freq_factor must be above low_freq_factor, not {high:g} and {low:g}")
    lengths = np.float32(2 * math.pi) / frequencies
    whole = np.where(lengths > trained / low, frequencies / np.float32(factor), frequencies)
    share = (trained / lengths - np.float32(low)) / np.float32(high - low)
    between = (lengths <= trained / low) & (lengths >= trained / high)
    mixed = (1 - share) * whole / np.float32(factor) + share * whole
    return np.where(between, mixed, whole).astype(np.float32), 1.0


def _magnitude(said: Configuration, factor: float) -> float:
    def grown(scale: float) -> float:
        return 1.0 if factor <= 1 else 0.1 * scale * math.log(factor) + 1.0

    each, whole = said.number("mscale", 0), said.number("mscale_all_dim", 0)
    return said.number("attention_factor", grown(each) / grown(whole) if each and whole else grown(1.0))


SCALINGS: dict[str, Callable[[Configuration, Frequencies, float, int], Scaled]] = {"llama3": llama3, "yarn": yarn}
"""rope_type → the frequencies that it asks for."""
