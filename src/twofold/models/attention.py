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
from twofold.models.graphs import MASKED, Heads, Node, exchanged, integer, integers, token_count, where_real
from twofold.models.rotary import FULL, SLIDING, Turn

BLOCK, MOST_BLOCKS = 128, 1024
"""The fewest tokens of a block where tokens see near ones alone, and the most blocks of a text.

Smaller blocks compute less and copy more keys: 64 and 128 take the same time where a window is 128 tokens wide.
"""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the tokens of a layer see: how places turn them, and what is added to the scores of the pairs.

    bias: (batch or 1, 1, tokens or 1, tokens). With keys, int64 (blocks, keys of a block), a text is divided into
    blocks of tokens, each of which sees the tokens at these places alone; bias is then (batch × blocks, 1, tokens of a
    block, keys of a block).
    """

    turn: Turn
    bias: Node
    keys: Node | None = None


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
        """(batch, tokens, heads × width). query, key and value are divided: (batch, tokens, heads, width of a head)."""
        sizes = op.gather(op.shape_of(query), integers(0, 1), integer(0))
        query, key = view.turn.turned(query), view.turn.turned(key)
        if view.keys is not None:
            query = _in_blocks(query, view.bias, -2, self.queries)
            key, value = (
                _in_blocks(op.gather(x, view.keys, integer(1)), view.bias, -1, self.keys) for x in (key, value)
            )
        query, key, value = exchanged(query), self._repeated(exchanged(key)), self._repeated(exchanged(value))
        scale = [] if self.scale is None else [op.constant(np.float32(self.scale))]
        attended = exchanged(op.scaled_dot_product_attention(query, key, value, view.bias, *scale))
        return op.reshape(attended, op.concat([sizes, integers(self.queries.count * self.queries.width)], 0), False)

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


def causal_bias(ids: Node) -> Node:
    """(1, 1, tokens, tokens): nothing where a token looks at itself or back, else MASKED.

    Padding after a text needs no mask of its own: no token of the text looks forward.
    """
    places = _range(op.squeeze(token_count(ids), integers(0)))
    seen = op.greater_equal(op.unsqueeze(places, integers(1)), op.unsqueeze(places, integers(0)))
    return op.unsqueeze(_bias(seen), integers(0, 1))


def near_view(turn: Turn, mask: Node, before: int, after: int) -> View:
    """The view of layers whose tokens see those at most `before` places back and `after` places on.

    A text is divided into as many equal blocks as leave each BLOCK tokens or more, so that memory and time grow with
    its length and not with its square. A text that is no longer than what a block would see is one block. mask: float32
    (batch, tokens), 1 for a token and 0 for padding.
    """
    reach = before + after
    tokens = op.squeeze(token_count(mask), integers(0))
    blocks = _blocks(tokens, max(BLOCK, reach // 2), reach)
    length = op.divide(tokens, blocks)
    seen = op.minimum(op.add(length, integer(reach)), tokens)
    starts = op.multiply(_range(blocks), length)
    # The first and the last block see as many keys as the others, some of them too far away.
    first = op.minimum(op.maximum(op.subtract(starts, integer(before)), integer(0)), op.subtract(tokens, seen))
    places = op.add(op.unsqueeze(starts, integers(1)), op.unsqueeze(_range(length), integers(0)))
    keys = op.add(op.unsqueeze(first, integers(1)), op.unsqueeze(_range(seen), integers(0)))
    back = op.subtract(op.unsqueeze(places, integers(2)), op.unsqueeze(keys, integers(1)))
    near = op.logical_and(op.less_equal(back, integer(before)), op.greater_equal(back, integer(-after)))
    bias = where_real(op.unsqueeze(op.gather(mask, keys, integer(1)), integers(2)), _bias(near))
    shape = op.gather(op.shape_of(bias), integers(2, 3), integer(0))
    return View(turn, op.reshape(bias, op.concat([integers(-1, 1), shape], 0), False), keys)


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


def _blocks(tokens: Node, least: int, reach: int) -> Node:
    """int64: the most equal blocks of at least `least` tokens, each of which sees fewer than all tokens; else 1."""
    counts = op.constant(np.arange(1, MOST_BLOCKS + 1, dtype=np.int64))
    length = op.divide(tokens, counts)
    even = op.equal(op.multiply(length, counts), tokens)
    fits = op.logical_and(even, op.greater_equal(length, integer(least)))
    fewer = op.logical_and(fits, op.less(op.add(length, integer(reach)), tokens))
    return op.reduce_max(op.select(fewer, counts, integer(1)), integers(0), False)


def _in_blocks(x: Node, bias: Node, axis: int, heads: Heads) -> Node:
    """(batch × blocks, tokens, heads, width of a head): so many tokens a block as `bias` has on this axis."""
    tokens = op.gather(op.shape_of(bias), integers(axis), integer(0))
    return op.reshape(x, op.concat([integers(-1), tokens, integers(heads.count, heads.width)], 0), False)


def _range(end: Node) -> Node:
    """int64 (end,): 0, 1, 2 …"""
    return op.range(integer(0), end, integer(1), "i64")


def _bias(seen: Node) -> Node:
    return op.select(seen, op.constant(np.float32(0)), op.constant(MASKED))
