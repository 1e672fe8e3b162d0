"""The layer that the decoders of Llama's kind and the encoders made from them share.

Attention and a gated pair of linears, each behind a norm by the root mean square and added to what went in. Touvron et
al. 2023, "LLaMA: Open and Efficient Foundation Language Models"; Shazeer 2020, "GLU Variants Improve Transformer".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.attention import Grouped, View
from twofold.models.configuration import Configuration
from twofold.models.graphs import Heads, Node, activation, linear_of, rms_norm
from twofold.models.weights import Weights

WORDS = "embed_tokens.weight"
PREFIXES = ("", "model.")
DECIDING = (
    "attention_bias",
    "head_dim",
    "hidden_act",
    "layer_types",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "rms_norm_eps",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
)

Norm = Callable[[Node, Weights, str], Node]
"""The norm of a state by the tensor of this name."""


@dataclass(frozen=True, slots=True)
class GatedSettings:
    """What all layers of a model have in common.

    norms_heads: whether queries and keys are normed head by head. value_norm: the epsilon by which values are normed as
    well, without a tensor; None leaves them as they are.
    """

    heads: Grouped
    activation: Callable[[Node], Node]
    norm: Norm
    norms_heads: bool
    value_norm: float | None = None

    @classmethod
    def of(cls, configuration: Configuration, *, head: int, epsilon: float, norms_heads: bool) -> GatedSettings:
        """By the fields that Llama's relatives share.

        head: numbers a head. epsilon: of the norms, where config.json names none.
        """
        return cls(
            heads=Grouped.of(configuration, head),
            activation=activation(configuration.text("hidden_act", "silu")),
            norm=plain_norm(configuration.number("rms_norm_eps", epsilon)),
            norms_heads=norms_heads,
        )


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state."""
    return configuration.integer("hidden_size")


def head_width(configuration: Configuration) -> int:
    """Numbers a head."""
    return configuration.count("head_dim", width(configuration) // configuration.count("num_attention_heads"))


def plain_norm(epsilon: float) -> Norm:
    """A norm that multiplies by the tensor as it is stored."""
    return lambda x, weights, name: rms_norm(x, weights[f"{name}.weight"], epsilon)


def layer(x: Node, weights: Weights, settings: GatedSettings, view: View) -> Node:
    """One layer. x: (batch, tokens, width); weights: those of this layer."""
    norm = settings.norm
    x = op.add(x, attention(norm(x, weights, "input_layernorm"), weights.under("self_attn."), settings, view))
    return op.add(x, gated(norm(x, weights, "post_attention_layernorm"), weights.under("mlp."), settings))


def sandwiched_layer(x: Node, weights: Weights, settings: GatedSettings, view: View) -> Node:
    """One layer of Gemma's kind, whose two parts are normed once more before they are added."""
    norm = settings.norm
    seen = attention(norm(x, weights, "input_layernorm"), weights.under("self_attn."), settings, view)
    x = op.add(x, norm(seen, weights, "post_attention_layernorm"))
    inner = gated(norm(x, weights, "pre_feedforward_layernorm"), weights.under("mlp."), settings)
    return op.add(x, norm(inner, weights, "post_feedforward_layernorm"))


def attention(x: Node, weights: Weights, settings: GatedSettings, view: View) -> Node:
    """Attention with the linears before it and after it. weights: those of this layer's attention."""
    heads = settings.heads
    _check_heads(weights, "q_proj.weight", heads.queries)
    _check_heads(weights, "k_proj.weight", heads.keys)
    query = heads.queries.divide(linear_of(x, weights, "q_proj"))
    key, value = (heads.keys.divide(linear_of(x, weights, name)) for name in ("k_proj", "v_proj"))
    if settings.norms_heads:
        query, key = settings.norm(query, weights, "q_norm"), settings.norm(key, weights, "k_norm")
    if settings.value_norm is not None:
        value = rms_norm(value, None, settings.value_norm)
    return linear_of(heads.attend(query, key, value, view), weights, "o_proj")


def _check_heads(weights: Weights, name: str, heads: Heads) -> None:
    rows = weights.shape(name)[0]
    if rows != heads.count * heads.width:
        raise ModelError(
            f"{weights.paths[0]}: the tensor {name!r} has {rows} rows, and config.json says {heads.count} heads of "
            f"{heads.width} numbers (head_dim); take both from one model"
        )


def gated(x: Node, weights: Weights, settings: GatedSettings) -> Node:
    """A linear times the activation of another, and a third. weights: those of this layer's linears."""
    gate = settings.activation(linear_of(x, weights, "gate_proj"))
    return linear_of(op.multiply(gate, linear_of(x, weights, "up_proj")), weights, "down_proj")
