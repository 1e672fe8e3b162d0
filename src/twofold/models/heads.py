"""Heads of cross-encoders: the states of a pair's tokens → the numbers from which its score is made.

All but a head's last linear layer belongs to the graph. The last one gives one number or a few; it is computed in
float32 and in a fixed order whatever the graph computes in (`logits_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import Node, activation, layer_norm, linear_of
from twofold.models.layers import Dense, Layer, layered
from twofold.models.pooling import pooled
from twofold.models.weights import Tensor, Weights
from twofold.scores import Vectors

Step = Callable[[Node], Node]
APPLIED = ("identity", "sigmoid", "tanh")
"""Activation functions that may stand at the very end, where the graph has ended (`applied`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """How token states become logits.

    modes: how the states are pooled (pooling.py). steps: what follows, in order. weight: float32 (logits, width) and
    bias: float32 (logits,), the last linear layer. activation: what is applied to what that gives. pools_last: whether
    the steps come before the pooling.
    """

    modes: tuple[str, ...]
    steps: tuple[Step, ...]
    weight: Tensor
    bias: Tensor | None
    activation: str = "identity"
    pools_last: bool = False

    def __call__(self, states: Node, mask: Node) -> Node:
        """(batch, width), what `logits_of` takes. states: (batch, tokens, width); mask: (batch, tokens)."""
        if self.pools_last:
            return pooled(layered(states, self.steps), mask, self.modes)
        return layered(pooled(states, mask, self.modes), self.steps)

    def logits_of(self, vectors: Vectors) -> Vectors:
        """float32 (n, logits). Each line is summed in a fixed order and depends on that line alone."""
        logits = np.einsum("nw,lw->nl", vectors, self.weight, dtype=np.float64)
        return applied(self.activation, logits if self.bias is None else logits + self.bias)


def classifier_head(configuration: Configuration, weights: Weights, inside: Weights) -> Head:
    """The head of a *ForSequenceClassification of a kind in HEADS. inside: the weights of the model below it."""
    return HEADS[configuration.text("model_type")](configuration, weights, inside)


def token_head(table: Tensor, yes: int, no: int | None = None) -> Head:
    """The logit of one token at a pair's end, less that of another where there is one. table: (tokens, width)."""
    weight = table[yes] if no is None else table[yes] - table[no]
    return Head(("lasttoken",), (), np.ascontiguousarray(weight[None]), None)


def dense_head(modes: tuple[str, ...], layers: Sequence[Layer], path: Path) -> Head:
    """The head whose layers stand in modules of their own. Raises ModelError unless the last is a linear layer."""
    last = layers[-1] if layers else None
    if not isinstance(last, Dense) or last.adds_input or last.activation not in APPLIED:
        known = ", ".join(APPLIED)
        raise ModelError(
            f"{path}: the last module must be a Dense with module_output_name 'scores', without use_residual, and with "
            f"an activation_function among {known}"
        )
    return Head(modes, tuple(layers[:-1]), last.weight, last.bias, last.activation)


def applied(name: str, logits: NDArray[Any]) -> Vectors:
    """An activation function of APPLIED, as float32; it works number by number."""
    exact = logits.astype(np.float64)
    if name == "sigmoid":
        with np.errstate(over="ignore"):  # far below 0 the exponential is infinite, and the result is 0
            exact = 1 / (1 + np.exp(-exact))
    elif name == "tanh":
        exact = np.tanh(exact)
    return np.asarray(exact, dtype=np.float32)


def _linear(weights: Weights, name: str, function: str) -> Step:
    return lambda x: activation(function)(linear_of(x, weights, name))


def _with(
    modes: Sequence[str], steps: Sequence[Step], weights: Weights, name: str, *, pools_last: bool = False
) -> Head:
    bias = weights.get(f"{name}.bias")
    return Head(tuple(modes), tuple(steps), weights[f"{name}.weight"], bias, pools_last=pools_last)


def _bert(_: Configuration, weights: Weights, inside: Weights) -> Head:
    return _with(["cls"], [_linear(inside, "pooler.dense", "tanh")], weights, "classifier")


def _distilbert(_: Configuration, weights: Weights, __: Weights) -> Head:
    return _with(["cls"], [_linear(weights, "pre_classifier", "relu")], weights, "classifier")


def _roberta(_: Configuration, weights: Weights, __: Weights) -> Head:
    return _with(["cls"], [_linear(weights, "classifier.dense", "tanh")], weights, "classifier.out_proj")


def _modernbert(configuration: Configuration, weights: Weights, _: Weights) -> Head:
    dense = _linear(weights, "head.dense", configuration.text("classifier_activation", "gelu"))
    epsilon = configuration.number("norm_eps", 1e-5)
    mode = _pooling(configuration, "cls", {"cls": "cls", "mean": "mean"})
    return _with([mode], [dense, lambda x: layer_norm(x, weights, "head.norm", epsilon)], weights, "classifier")


def _eurobert(configuration: Configuration, weights: Weights, _: Weights) -> Head:
    mode = _pooling(configuration, "late", {"bos": "cls", "mean": "mean", "late": "late"})
    steps, late = [_linear(weights, "dense", "gelu")], mode == "late"
    return _with(["mean" if late else mode], steps, weights, "classifier", pools_last=late)


def _last_token(_: Configuration, weights: Weights, __: Weights) -> Head:
    return _with(["lasttoken"], [], weights, "score")


def _pooling(configuration: Configuration, default: str, known: dict[str, str]) -> str:
    said = configuration.text("classifier_pooling", default)
    if said not in known:
        raise ModelError(
            f"{configuration.path}: classifier_pooling {said!r} is not known; known are {', '.join(known)}"
        )
    return known[said]


HEADS: dict[str, Callable[[Configuration, Weights, Weights], Head]] = {
    "bert": _bert,
    "distilbert": _distilbert,
    "eurobert": _eurobert,
    "gte": _bert,
    "modernbert": _modernbert,
    "mpnet": _roberta,
    "new": _bert,
    "nomic_bert": _bert,
    "qwen3": _last_token,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
}
"""model_type of config.json → the head of its *ForSequenceClassification, by the names that `transformers` writes."""
