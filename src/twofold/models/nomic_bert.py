"""Nomic BERT: BERT with rotary positions and gated linears.

Nussbaum et al. 2024, "Nomic Embed: Training a Reproducible Long Context Text Embedder". Its first configurations name
their fields as GPT-2 does; both forms are read.
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.attention import View
from twofold.models.configuration import Configuration
from twofold.models.graphs import Heads, Inputs, Node, activation, lookup, mask_bias, type_states
from twofold.models.post_norm_layers import NEW_NAMES, PostNormNames, post_norm_states
from twofold.models.rotary import FULL, Rotary, Turn, rotary_of_all
from twofold.models.transformer_layers import LayerSettings
from twofold.models.weights import Weights

WORDS = "embeddings.word_embeddings.weight"
PREFIXES = ("", "nomic_bert.", "bert.", "model.")
THETA = 1_000.0
OLDER = {
    "activation_function": "hidden_act",
    "layer_norm_epsilon": "layer_norm_eps",
    "n_embd": "hidden_size",
    "n_head": "num_attention_heads",
    "n_layer": "num_hidden_layers",
    "n_positions": "max_position_embeddings",
    "rotary_emb_base": "rope_theta",
}
"""Fields of the first configurations → the same fields in those of `transformers`."""
GATED = {"swiglu": "silu", "geglu": "gelu", "glu": "sigmoid"}
"""Names of a gated pair of linears → the activation of its gate."""
PLAIN = {
    "causal": False,
    "moe_every_n_layers": 0,
    "parallel_block": False,
    "prenorm": False,
    "rotary_emb_fraction": 1.0,
    "rotary_emb_interleaved": False,
    "use_rms_norm": False,
}
"""Fields of the first configurations → the one value of them that is known."""
DECIDING = (*OLDER, *OLDER.values(), "rope_parameters", "rope_scaling")
OLD_NAMES = PostNormNames(
    words_norm="emb_ln",
    layer="encoder.layers.{}",
    projections=("attn.Wqkv",),
    attended="attn.out_proj",
    attended_norm="norm1",
    widening=("mlp.fc11", "mlp.fc12"),
    narrowing="mlp.fc2",
    outer_norm="norm2",
)


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return _in_new_form(configuration).integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state."""
    return _in_new_form(configuration).integer("hidden_size")


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies; all layers share one."""
    return rotary_of_all(_in_new_form(configuration), _heads(configuration).width, THETA)


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    _refuse_other_layers(configuration)
    said = _in_new_form(configuration)
    weights = weights.under_first_of(PREFIXES, WORDS)
    act = said.text("hidden_act", "silu")
    settings = LayerSettings(
        count=said.integer("num_hidden_layers"),
        heads=_heads(configuration),
        activation=activation(GATED.get(act, act)),
        epsilon=said.number("layer_norm_eps", 1e-12),
    )
    types = type_states(inputs.types, weights["embeddings.token_type_embeddings.weight"])
    x = op.add(lookup(inputs.ids, weights.matrix(WORDS)), types)
    view = View(Turn.of(inputs.rotary[FULL]), mask_bias(inputs.mask))
    return post_norm_states(x, weights, (NEW_NAMES, OLD_NAMES), settings, view)


def _heads(configuration: Configuration) -> Heads:
    return Heads.of(_in_new_form(configuration).integer("num_attention_heads"), width(configuration))


def _in_new_form(configuration: Configuration) -> Configuration:
    """The fields under the names that `transformers` gives them; where both names are there, the new one counts."""
    older = {new: configuration.values[old] for old, new in OLDER.items() if configuration.has(old)}
    newer = {field: value for field, value in configuration.values.items() if value is not None}
    return Configuration(configuration.path, {**older, **newer})


def _refuse_other_layers(configuration: Configuration) -> None:
    for field, value in PLAIN.items():
        configuration.refuse(field, value)
    for field in ("num_experts", "rotary_emb_scale_base", "rotary_scaling_factor"):
        configuration.refuse(field)
    if configuration.integer("head_dim", _heads(configuration).width) != _heads(configuration).width:
        raise ModelError(f"{configuration.path}: head_dim must be hidden_size by num_attention_heads")
