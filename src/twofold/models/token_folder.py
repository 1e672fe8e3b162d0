"""The folder of a model that gives a vector a token, read into frozen settings.

It is one of five things: a MultiVectorEncoder of sentence-transformers 6; a ColBERT of PyLate, whose modules are a
Transformer and linear layers; a checkpoint of Stanford's ColBERT, whose projection lies beside the transformer's
tensors; BGE-M3, with its heads in files of their own; or an encoder of whole texts, whose token states are taken as
they come.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twofold.contract import Side
from twofold.errors import InputError, ModelError
from twofold.models.configuration import Configuration
from twofold.models.folder import (
    MODULES,
    ModelFolder,
    listed_modules,
    longest_input,
    read_model_folder,
    transformer_configuration,
)
from twofold.models.layers import TOKENS, Dense, Layer, Normalize, layer_width, read_layers
from twofold.models.module_settings import module_settings
from twofold.models.networks import Network, network_of
from twofold.models.three_heads import TokenHeads, has_heads, read_heads
from twofold.models.weights import Weights, weight_files

SAID = "config_sentence_transformers.json"
METADATA = "artifact.metadata"
STANFORD, PYLATE, MULTI_VECTOR = "HF_ColBERT", "ColBERT", "MultiVectorEncoder"
THREE_HEADS = "BGE-M3"
MASK, POOLING = "MultiVectorMask", "HierarchicalTokenPooling"
SIDES: tuple[Side, Side] = ("query", "document")
QUERY_LENGTH, DOCUMENT_LENGTH = 32, 180
"""Tokens of an input where a folder of PyLate or Stanford does not say how many."""
LENGTHS = ("query_length", "document_length", "query_expansion")
"""Fields that sentence-transformers 6 adds to those of a Transformer module."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """How queries are filled up with a token that has vectors as others have.

    length: up to how many tokens. attends: whether the model sees these tokens. cuts: whether longer queries end
    there. token: which; None is the mask token, else the one that ends a text.
    """

    length: int
    attends: bool
    cuts: bool = True
    token: str | None = None


@dataclass(frozen=True, slots=True)
class TokenPooling:
    """By how much fewer vectors a text's are merged into (token_pooling.py). protected: first vectors that stay."""

    factor: float
    protected: int
    normalizes: bool
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFolder:
    """Everything in a folder that determines how texts become vectors of tokens, except tensors and tokenizer.

    layers: those that every state goes through; normalizes: whether vectors then have length 1. lengths: the longest
    input of each side. markers: the token that stands behind the first one, by side; prompts: the text before an input.
    skipped: words whose tokens have no vector on the sides skipped_sides. drops_first: whether the first token has
    none. heads: those of BGE-M3, of which layers holds the one that makes the vectors.
    """

    path: Path
    transformer: Path
    configuration: Configuration
    network: Network
    layers: tuple[Layer, ...]
    normalizes: bool
    lengths: Mapping[Side, int]
    lower_case: bool
    markers: Mapping[Side, str]
    prompts: Mapping[Side, str]
    expansion: Expansion | None = None
    skipped: tuple[str, ...] = ()
    skipped_sides: tuple[str, ...] = ("document",)
    pooling: TokenPooling | None = None
    drops_first: bool = False
    heads: TokenHeads | None = None

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return layer_width(self.layers, self.network.width)


def gives_token_vectors(path: Path) -> bool:
    """Whether a folder's model was made for late interaction, or is an encoder of texts, which can serve for it.

    A cross-encoder is neither. Raises ModelError where its files cannot be read.
    """
    if _kind(path) is not None:
        return True
    if not (path / MODULES).is_file():
        return False
    return listed_modules(path / MODULES)[-1][0] in ("Pooling", "Normalize")


def read_token_folder(path: Path) -> TokenFolder:
    """The settings of a model folder. Raises ModelError naming the file and the field that is missing or unknown."""
    kind = _kind(path)
    if kind == STANFORD:
        return _stanford(path)
    if kind == THREE_HEADS:
        return _three_heads(path)
    return _states(path) if kind is None else _with_modules(path, kind)


def states_of(folder: ModelFolder) -> TokenFolder:
    """The tokens' states of a model of whole texts, behind the layers after its pooling; their mean is a vector of the
    text before it is divided by its length.

    Raises InputError where the model makes vectors in another way, of which the states of some tokens are no part.
    """
    if folder.network is None:
        raise InputError(f"{folder.path} adds up rows of a table, which know nothing of the text around them")
    if folder.modes != ("mean",) or folder.mix is not None:
        said = "+".join(folder.modes) if folder.mix is None else str(folder.mix)
        raise InputError(f"{folder.path} pools by {said}; spans of a text have vectors where the pooling is mean")
    layers = folder.layers[:-1] if folder.layers and isinstance(folder.layers[-1], Normalize) else folder.layers
    for layer in layers:
        if not isinstance(layer, Dense) or layer.activation != "identity":
            raise InputError(
                f"{folder.path} has the layer {layer} after its pooling; spans of a text have vectors where the layers "
                "are linear"
            )
    return TokenFolder(
        path=folder.path,
        transformer=folder.transformer,
        configuration=folder.configuration,
        network=folder.network,
        layers=layers,
        normalizes=False,
        lengths=dict.fromkeys(SIDES, folder.max_tokens),
        lower_case=folder.lower_case,
        markers=dict.fromkeys(SIDES, ""),
        prompts=dict.fromkeys(SIDES, ""),
    )


def _kind(path: Path) -> str | None:
    """STANFORD, PYLATE, MULTI_VECTOR or THREE_HEADS; None for a folder that is none of these."""
    said = Configuration.read_if_there(path / SAID).values.get("model_type")
    if said in (PYLATE, MULTI_VECTOR):
        return PYLATE if said == PYLATE else MULTI_VECTOR
    if said is None and STANFORD in (
        Configuration.read_if_there(path / "config.json").values.get("architectures") or []
    ):
        return STANFORD
    return THREE_HEADS if has_heads(path) else None


def _with_modules(path: Path, kind: str) -> TokenFolder:
    modules = listed_modules(path / MODULES)
    kinds = [each for each, _ in modules]
    known = {"Dense"} if kind == PYLATE else {"Dense", MASK, "Normalize", POOLING}
    if kinds[:1] != ["Transformer"] or set(kinds[1:]) - known or (kind == MULTI_VECTOR and kinds.count(MASK) != 1):
        raise ModelError(
            f"{path / MODULES}: the modules {kinds} give no vectors of tokens; known are a Transformer and then "
            f"{', '.join(sorted(known))}"
        )
    if "Dense" in kinds[kinds.index(MASK) :] if MASK in kinds else False:
        raise ModelError(f"{path / MODULES}: a Dense behind the {MASK} is not supported")
    transformer = path / modules[0][1]
    configuration = transformer_configuration(transformer)
    network = network_of(configuration)
    settings = module_settings(transformer, more=LENGTHS)
    longest = longest_input(network.positions, settings)
    said = Configuration.read_if_there(path / SAID)
    dense = [(each, path / place) for each, place in modules[1:] if each == "Dense"]
    fields: dict[str, Any] = {
        "path": path,
        "transformer": transformer,
        "configuration": configuration,
        "network": network,
        "layers": read_layers(dense, network.width, taken=TOKENS, output=TOKENS),
        "lower_case": settings.truth("do_lower_case", False),
    }
    if kind == PYLATE:
        return TokenFolder(**fields, normalizes=True, **_pylate(said, network.positions))
    said.refuse("similarity_fn_name", "maxsim", "meanmaxsim")
    masked = Configuration.read_if_there(path / modules[kinds.index(MASK)][1] / "config.json")
    masked.refuse("keep_only_token_ids")
    return TokenFolder(
        **fields,
        normalizes="Normalize" in kinds,
        lengths={
            "query": min(settings.count("query_length", longest), network.positions),
            "document": min(settings.count("document_length", longest), network.positions),
        },
        markers=dict.fromkeys(SIDES, ""),
        prompts=_prompts(said),
        expansion=_expansion(Configuration(settings.path, settings.mapping("query_expansion")), network.positions),
        skipped=_words(masked, ()),
        skipped_sides=_words(masked, ("document",), "skiplist_tasks"),
        pooling=_pooling(path, modules),
    )


def _pylate(said: Configuration, positions: int) -> dict[str, Any]:
    """What PyLate says beside the modules, and what it means where it says nothing."""
    return {
        "lengths": {
            "query": min(said.count("query_length", QUERY_LENGTH), positions),
            "document": min(said.count("document_length", DOCUMENT_LENGTH), positions),
        },
        "markers": {"query": said.text("query_prefix", "[Q] "), "document": said.text("document_prefix", "[D] ")},
        "prompts": _prompts(said),
        "expansion": Expansion(
            min(said.count("query_length", QUERY_LENGTH), positions), said.truth("attend_to_expansion_tokens", False)
        )
        if said.truth("do_query_expansion", True)
        else None,
        "skipped": _words(said, tuple(string.punctuation)),
    }


def _stanford(path: Path) -> TokenFolder:
    said = Configuration.read_if_there(path / METADATA)
    configuration = transformer_configuration(path)
    network = network_of(configuration)
    weights = Weights(weight_files(path))
    projection = weights["linear.weight"]
    if projection.ndim != 2 or projection.shape[1] != network.width:
        raise ModelError(
            f"{path}: the tensor 'linear.weight' has the shape {projection.shape}, and a token's state {network.width} "
            "numbers"
        )
    query_length = min(said.count("query_maxlen", QUERY_LENGTH), network.positions)
    return TokenFolder(
        path=path,
        transformer=path,
        configuration=configuration,
        network=network,
        layers=(Dense(projection, None, "identity", False, None, weights.fingerprint),),
        normalizes=True,
        lengths={"query": query_length, "document": min(said.count("doc_maxlen", DOCUMENT_LENGTH), network.positions)},
        lower_case=False,
        markers={
            "query": said.text("query_token_id", "[unused0]"),
            "document": said.text("doc_token_id", "[unused1]"),
        },
        prompts=dict.fromkeys(SIDES, ""),
        expansion=Expansion(query_length, said.truth("attend_to_mask_tokens", False)),
        skipped=tuple(string.punctuation) if said.truth("mask_punctuation", True) else (),
    )


def _three_heads(path: Path) -> TokenFolder:
    """BGE-M3: every token but the first has a vector, whatever the folder's modules pool."""
    states = _states(path)
    heads = read_heads(path, states.network.width)
    return replace(states, layers=(heads.multi,), drops_first=True, heads=heads)


def _states(path: Path) -> TokenFolder:
    """An encoder of texts: the states of its last layer, for every token."""
    folder = read_model_folder(path)
    if folder.network is None:
        raise ModelError(f"{path} has a row for each token whatever stands beside it; late interaction needs states")
    return TokenFolder(
        path=path,
        transformer=folder.transformer,
        configuration=folder.configuration,
        network=folder.network,
        layers=(),
        normalizes=True,
        lengths=dict.fromkeys(SIDES, folder.max_tokens),
        lower_case=folder.lower_case,
        markers=dict.fromkeys(SIDES, ""),
        prompts={"query": folder.prompts.query or "", "document": folder.prompts.document or ""},
    )


def _prompts(said: Configuration) -> dict[Side, str]:
    prompts = said.mapping("prompts")
    default = said.text("default_prompt_name", "")
    return {side: str(prompts.get(side) or prompts.get(default) or "") for side in SIDES}


def _expansion(said: Configuration, positions: int) -> Expansion | None:
    if not said.values:
        return None
    said.refuse("strategy", "fixed", "min")
    return Expansion(
        min(said.count("length"), positions),
        said.truth("attend", False),
        said.text("strategy") == "fixed",
        said.text("token") if said.has("token") else None,
    )


def _pooling(path: Path, modules: list[tuple[str, str]]) -> TokenPooling | None:
    for kind, place in modules:
        if kind == POOLING:
            said = Configuration.read_if_there(path / place / "config.json")
            return TokenPooling(
                said.above_zero("pool_factor", 1.0),
                said.integer("num_protected_tokens", 1),
                said.truth("normalize_embeddings", False),
                _words(said, ("document",), "tasks"),
            )
    return None


def _words(said: Configuration, default: tuple[str, ...], field: str = "skiplist_words") -> tuple[str, ...]:
    words = said.values.get(field)
    if words is None:
        return default
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ModelError(f"{said.path}: {field} must be a list of texts, not {words!r}")
    return tuple(words)
