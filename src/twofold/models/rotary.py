"""Rotary positions: queries and keys turned by angles that grow with a token's place.

Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding". A score depends on two tokens' distance
alone, so padding before a text or after it makes no difference.

The cosines and sines of the places are an input of the graph: inside it, bf16 would round the places themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import Node, integer, integers
from twofold.models.rotary_scaling import SCALINGS

FULL, SLIDING = "full_attention", "sliding_attention"
"""Kinds of layers, as configurations name them: those that see a whole text, and those that see a window of it."""
KINDS = ("default", "linear", "proportional", *SCALINGS)
"""Known values of rope_type."""
ROWS = 512
"""A table grows by so many places at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Rotary:
    """frequencies: float32 (half the width of a head,), radians a token. magnitude: multiplies cosines and sines."""

    frequencies: NDArray[np.float32]
    magnitude: float = 1.0


def rotary(said: Mapping[str, Any], configuration: Configuration, width: int, theta: float) -> Rotary:
    """The frequencies that a rotary object of config.json asks for.

    said: the object. width: numbers a head. theta: the base where the object names none. Raises ModelError for a kind
    that is not known.
    """
    fields = Configuration(configuration.path, said)
    kind = fields.text("rope_type", fields.text("type", "default"))
    if kind not in KINDS:
        raise ModelError(f"{configuration.path}: rope_type {kind!r} is not known; known are {', '.join(KINDS)}")
    turned = fields.number("partial_rotary_factor", 1.0)
    if width % 2 or (turned != 1 and kind != "proportional"):
        raise ModelError(f"{configuration.path}: rotary positions of a part of a head, or of an odd width, are unknown")
    base, factor = fields.number("rope_theta", theta), fields.number("factor", 1.0) if kind != "default" else 1.0
    if min(base, factor) <= 0:
        raise ModelError(f"{configuration.path}: rope_theta and factor must be above 0, not {base:g} and {factor:g}")
    steps = np.arange(0, width, 2, dtype=np.float32) / np.float32(width)
    # In float32, as transformers does: at the 8,000th token another last bit is an angle of a thousandth.
    frequencies = np.float32(1) / np.float32(base) ** steps
    if kind in SCALINGS:
        return Rotary(*SCALINGS[kind](fields, frequencies, base, _trained(fields, configuration)))
    if kind == "proportional":
        frequencies[int(turned * width // 2) :] = 0
    return Rotary(frequencies / np.float32(factor))


def _trained(fields: Configuration, configuration: Configuration) -> int:
    """The longest text of the training; the model's own field for it counts before that of the rotary object."""
    name = "original_max_position_embeddings"
    said = next((each for each in (configuration, fields) if each.has(name)), None)
    return configuration.count("max_position_embeddings") if said is None else said.count(name)


def rotary_by_kind(
    configuration: Configuration, width: int, thetas: Mapping[str, float], *, scaled: tuple[str, ...]
) -> dict[str, Rotary]:
    """Kind of layer → its frequencies, by rope_parameters, or by the older fields.

    thetas: kind → the base that the older fields or the architecture name. scaled: kinds that an older rope_scaling
    is meant for.
    """
    nested = Configuration(configuration.path, configuration.mapping("rope_parameters"))
    scaling = configuration.mapping("rope_scaling")
    whole = {}
    for kind, theta in thetas.items():
        whole[kind] = rotary(
            {**nested.mapping(kind), **(scaling if kind in scaled else {})}, configuration, width, theta
        )
    return whole


def rotary_of_all(configuration: Configuration, width: int, theta: float) -> dict[str, Rotary]:
    """The same frequencies for all kinds of layers, by rope_parameters, or by rope_scaling and rope_theta."""
    said = configuration.mapping("rope_scaling") or configuration.mapping("rope_parameters")
    alike = rotary(said, configuration, width, configuration.number("rope_theta", theta))
    return {FULL: alike}


class RotaryTable:
    """The cosines and sines of places, computed as far as inputs have reached. Any number of threads may ask."""

    def __init__(self, rotary: Rotary) -> None:
        self._frequencies = rotary.frequencies
        self._magnitude = rotary.magnitude
        self._rows = np.zeros((0, 2 * len(rotary.frequencies)), dtype=np.float32)

    def rows(self, count: int) -> NDArray[np.float32]:
        """float32 (count, width of a head): the cosines of each place and then its sines."""
        rows = self._rows
        if len(rows) < count:
            places = np.arange(-(-count // ROWS) * ROWS, dtype=np.float32)
            angles = (places[:, None] * self._frequencies).astype(np.float64)
            rows = (np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * self._magnitude).astype(np.float32)
            self._rows = rows
        return rows[:count]


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """The graph's cosines and sines, each (tokens, 1, width of a head)."""

    cosines: Node
    sines: Node

    @classmethod
    def of(cls, table: Node) -> Turn:
        """From the rows of a `RotaryTable`, (tokens, width of a head)."""
        cosines, sines = op.split(table, integer(1), 2).outputs()
        whole = (op.concat([half, half], 1) for half in (cosines, sines))
        return cls(*(op.unsqueeze(each, integers(1)) for each in whole))

    def turned(self, x: Node) -> Node:
        """x: (batch, tokens, heads, width of a head); a number of the first half turns with its like in the second."""
        first, second = op.split(x, integer(-1), 2).outputs()
        across = op.concat([op.negative(second), first], -1)
        return op.add(op.multiply(x, self.cosines), op.multiply(across, self.sines))
