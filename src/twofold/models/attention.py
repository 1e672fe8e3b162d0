"""Attention whose tokens are turned by their places, with fewer heads of keys than of queries, over all or near tokens.

What a layer sees is a `View`; the architectures make one for each kind of layer and share it among the layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import MASKED, Heads, Node, integer, integers, token_count
from twofold.models.rotary import FULL, SLIDING, Turn


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the tokens of a layer see: how places turn them, and what is added to the scores of the pairs."""

    turn: Turn
    bias: Node


@dataclass(frozen=True, slots=True)
class Grouped:
    """Heads of queries, several of which share a head of keys and values (Ainslie et al. 2023, GQA).

    scale: what a score is multiplied by; None is one by the root of a head's width.
    """

    queries: Heads
    keys: Heads
    scale: float | None = None

    @classmethod
    def of(cls, configuration: Configuration, width: int) -> Grouped:
        """By num_attention_heads and num_key_value_heads. width: numbers a head. Raises ModelError."""
        count = configuration.integer("num_attention_heads")
        shared = configuration.integer("num_key_value_heads", count)
        if min(count, shared, width) < 1 or count % shared:
            raise ModelError(f"{configuration.path}: {count} heads of queries cannot share {shared} heads of keys")
        return cls(Heads(count, width), Heads(shared, width))

    def attend(self, query: Node, key: Node, value: Node, view: View) -> Node:
        """(batch, tokens, heads × width). query, key and value are divided: (batch, heads, tokens, width of a head)."""
        query, key = view.turn.turned(query), view.turn.turned(key)
        scale = [] if self.scale is None else [op.constant(np.float32(self.scale))]
        attended = op.scaled_dot_product_attention(query, self._repeated(key), self._repeated(value), view.bias, *scale)
        return self.queries.join(attended)

    def _repeated(self, x: Node) -> Node:
        """Each head of keys once for every head of queries that shares it."""
        if self.keys.count == self.queries.count:
            return x
        times = self.queries.count // self.keys.count
        tokens = op.gather(op.shape_of(x), integers(2), integer(0))
        batch = op.gather(op.shape_of(x), integers(0), integer(0))
        shape = op.concat([batch, integers(self.keys.count, times), tokens, integers(self.keys.width)], 0)
        return op.reshape(
            op.broadcast(op.unsqueeze(x, integers(2)), shape),
            integers(0, self.queries.count, -1, self.keys.width),
            True,
        )


def causal_bias(ids: Node, window: int | None = None) -> Node:
    """(1, 1, tokens, tokens): nothing where a token looks at itself or less than `window` tokens back, else MASKED.

    Padding after a text needs no mask of its own: no token of the text looks forward.
    """
    back = _distances(ids)
    seen = op.greater_equal(back, integer(0))
    if window is not None:
        seen = op.logical_and(seen, op.less(back, integer(window)))
    return op.unsqueeze(_bias(seen), integers(0, 1))


def near_bias(mask: Node, radius: int) -> Node:
    """(batch, 1, tokens, tokens): nothing for real tokens at most `radius` away, MASKED for all others."""
    near = op.unsqueeze(op.less_equal(op.abs(_distances(mask)), integer(radius)), integers(0))
    real = op.greater(op.unsqueeze(mask, integers(1)), op.constant(np.float32(0)))
    return op.unsqueeze(_bias(op.logical_and(near, real)), integers(1))


def layer_kinds(configuration: Configuration, is_full: Callable[[int], bool]) -> list[str]:
    """The kind of each layer: as layer_types lists them, or else by the architecture's rule for a layer's number.

    Raises ModelError where the list has another length than the model has layers, or names an unknown kind.
    """
    count = configuration.integer("num_hidden_layers")
    if not configuration.has("layer_types"):
        return [FULL if is_full(number) else SLIDING for number in range(count)]
    listed = configuration.values["layer_types"]
    if not isinstance(listed, list) or len(listed) != count or not {FULL, SLIDING}.issuperset(map(str, listed)):
        raise ModelError(
            f"{configuration.path}: layer_types must list {FULL} or {SLIDING} for each of {count} layers, not {listed}"
        )
    return [str(kind) for kind in listed]


def _distances(x: Node) -> Node:
    """int64 (tokens, tokens): how many tokens each pair's second stands before its first. x: (batch, tokens)."""
    end = op.squeeze(token_count(x), integers(0))
    places = op.range(integer(0), end, integer(1), "i64")
    return op.subtract(op.unsqueeze(places, integers(1)), op.unsqueeze(places, integers(0)))


def _bias(seen: Node) -> Node:
    return op.select(seen, op.constant(np.float32(0)), op.constant(MASKED))
