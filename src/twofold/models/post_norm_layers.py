"""The layer that Nomic BERT and the newer GTE share: BERT's, with rotary positions and a gated pair of linears.

Their tensors have two sets of names: those of the first checkpoints, and those that `transformers` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import openvino.opset13 as op

from twofold.models.attention import Grouped, View
from twofold.models.graphs import Node, layer_norm, linear_of, linears_of
from twofold.models.transformer_layers import LayerSettings
from twofold.models.weights import Weights


@dataclass(frozen=True, slots=True)
class PostNormNames:
    """What the tensors are called; `{}` in `layer` is the layer's number.

    projections: query, key and value, or one name under which the three are stored one below the other. widening: the
    linear that is multiplied and the linear that gates it, or one name for both.
    """

    words_norm: str
    layer: str
    projections: tuple[str, ...]
    attended: str
    attended_norm: str
    widening: tuple[str, ...]
    narrowing: str
    outer_norm: str


NEW_NAMES = PostNormNames(
    words_norm="embeddings.LayerNorm",
    layer="layers.{}",
    projections=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    attended="self_attn.o_proj",
    attended_norm="post_attention_layernorm",
    widening=("mlp.up_proj", "mlp.gate_proj"),
    narrowing="mlp.down_proj",
    outer_norm="post_mlp_layernorm",
)
"""The names that `transformers` writes."""


def post_norm_states(
    x: Node, weights: Weights, names: Sequence[PostNormNames], settings: LayerSettings, view: View
) -> Node:
    """All layers one after the other, the words' norm before them. x: (batch, tokens, width).

    names: the sets of names that there are; the one that the tensors have is taken, else the last.
    """
    found = next((each for each in names if f"{each.layer.format(0)}.{each.narrowing}.weight" in weights), names[-1])
    x = layer_norm(x, weights, found.words_norm, settings.epsilon)
    for number in range(settings.count):
        x = _layer(x, weights.under(f"{found.layer.format(number)}."), found, settings, view)
    return x


def _layer(x: Node, weights: Weights, names: PostNormNames, settings: LayerSettings, view: View) -> Node:
    heads = settings.heads
    query, key, value = (heads.divide(each) for each in _parts(x, weights, names.projections, 3))
    attended = linear_of(Grouped(heads, heads).attend(query, key, value, view), weights, names.attended)
    x = layer_norm(op.add(attended, x), weights, names.attended_norm, settings.epsilon)
    wide, gate = _parts(x, weights, names.widening, 2)
    inner = linear_of(op.multiply(settings.activation(gate), wide), weights, names.narrowing)
    return layer_norm(op.add(inner, x), weights, names.outer_norm, settings.epsilon)


def _parts(x: Node, weights: Weights, names: tuple[str, ...], count: int) -> list[Node]:
    return linears_of(x, weights, names[0], count) if len(names) == 1 else [linear_of(x, weights, n) for n in names]
