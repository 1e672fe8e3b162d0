"""Pooling: token states → one vector a text.

The modes and their order are those of sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import openvino.opset13 as op

from twofold.models.graphs import Node, integer, integers, token_count, where_real

SMALLEST = np.float32(1e-9)


def pooled(states: Node, mask: Node, modes: Sequence[str]) -> Node:
    """(batch, width × modes): the modes' vectors side by side.

    states: (batch, tokens, width); mask: float32 (batch, tokens), 1 for the tokens that count.
    """
    parts = [POOLING[mode](states, mask) for mode in modes]
    return parts[0] if len(parts) == 1 else op.concat(parts, -1)


def _sum(states: Node, weights: Node) -> Node:
    """(batch, width): the states' sum, each times its weight. weights: (batch, tokens)."""
    return op.squeeze(op.matmul(op.unsqueeze(weights, integers(1)), states, False, False), integers(1))


def _total(weights: Node) -> Node:
    return op.maximum(op.reduce_sum(weights, integers(1), True), op.constant(SMALLEST))


def _so_far(mask: Node) -> Node:
    """int32 (batch, tokens): how many tokens count up to and with each one; whole numbers, exact in any precision."""
    return op.cum_sum(op.convert(mask, "i32"), integer(1))


def _where(mask: Node, condition: Node) -> Node:
    return op.multiply(mask, op.convert(condition, "f32"))


def _first(states: Node, mask: Node) -> Node:
    return _sum(states, _where(mask, op.equal(_so_far(mask), op.constant(np.int32(1)))))


def _last(states: Node, mask: Node) -> Node:
    all_of_them = op.reduce_sum(op.convert(mask, "i32"), integers(1), True)
    return _sum(states, _where(mask, op.equal(_so_far(mask), all_of_them)))


def _largest(states: Node, mask: Node) -> Node:
    return op.reduce_max(where_real(op.unsqueeze(mask, integers(2)), states), integers(1), False)


def _mean(states: Node, mask: Node) -> Node:
    return op.divide(_sum(states, mask), _total(mask))


def _mean_by_root(states: Node, mask: Node) -> Node:
    return op.divide(_sum(states, mask), op.sqrt(_total(mask)))


def _weighted_mean(states: Node, mask: Node) -> Node:
    """Later tokens weigh more: the n-th of the input n times (SGPT, Muennighoff 2022), whatever counts before it."""
    end = op.add(op.squeeze(token_count(states), integers(0)), integer(1))
    places = op.range(integer(1), end, integer(1), "i64")
    weights = op.multiply(mask, op.convert(places, "f32"))
    return op.divide(_sum(states, weights), _total(weights))


POOLING: dict[str, Callable[[Node, Node], Node]] = {
    "cls": _first,
    "max": _largest,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_by_root,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
"""Pooling modes by their names in sentence-transformers, in the order in which it concatenates them."""
