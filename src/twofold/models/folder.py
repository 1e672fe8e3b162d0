"""A model folder as sentence-transformers lays it out, read into frozen settings.

modules.json names the modules in order: one Transformer, one Pooling, then layers; or a Router with
such modules for each side. A folder without modules.json is a bare transformers model and is pooled by the mean, as
sentence-transformers does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.contract import Side
from twofold.errors import ModelError
from twofold.models.architectures import text_part
from twofold.models.configuration import ENDLESS, Configuration
from twofold.models.layer_mix import MODULE as LAYER_MIX
from twofold.models.layer_mix import LayerMix, read_layer_mix
from twofold.models.layers import LAYERS, Layer, layer_width, read_layers
from twofold.models.module_settings import module_settings, stated_length
from twofold.models.networks import BuiltNetwork, Network, network_of
from twofold.models.pooling import POOLING
from twofold.scores import Similarity

MODE_FIELDS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""How Pooling's config.json said the modes before it had a field pooling_mode, in the order of concatenation."""

SHORTER = "matryoshka_dimensions"
"""The field of config_sentence_transformers.json by which `twofold train --dimensions` says what it trained."""
MODULES, ROUTER, STATIC = "modules.json", "Router", "StaticEmbedding"


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts put before each input of a side; None where the model's files say nothing."""

    query: str | None
    document: str | None


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Everything in a folder that determines how texts become vectors, except the tensors.

    transformer: where config.json, the tensors and the tokenizer are. modes: pooling modes, in order. include_prompt:
    whether the prompt's tokens count in the pooling. layers: what follows the pooling. max_tokens: the longest input.
    dimension: how many of a vector's first numbers are kept; None keeps all. network: None where there is a table of
    rows for tokens in place of a transformer. shorter: how many first numbers were trained as vectors too, as far as
    the files say so. mix: the layers whose states are pooled; None pools those of the last.
    """

    path: Path
    transformer: Path
    configuration: Configuration
    network: Network | None
    modes: tuple[str, ...]
    include_prompt: bool
    layers: tuple[Layer, ...]
    max_tokens: int
    lower_case: bool
    prompts: Prompts
    similarity: Similarity
    dimension: int | None
    shorter: tuple[int, ...] = ()
    mix: LayerMix | None = None

    def whole_dimension(self, width: int) -> int:
        """Numbers a vector before any are cut off. width: numbers a token's state."""
        return layer_width(self.layers, width * len(self.modes))


def read_model_folder(path: Path, side: Side = "document") -> ModelFolder:
    """The settings of a model folder. Raises ModelError naming the file and the field that is missing or unknown.

    side: which of two towers, where the folder has one for each.
    """
    modules = _modules(path, side)
    if modules[0][0] == STATIC:
        return _static(path, modules)
    mixed = modules.pop(1) if [kind for kind, _ in modules[1:2]] == [LAYER_MIX] else None
    transformer = path / modules[0][1]
    configuration = transformer_configuration(transformer)
    settings = module_settings(transformer)
    modes, include_prompt = pooling_settings(path / modules[1][1]) if len(modules) > 1 else (("mean",), True)
    said = Configuration.read_if_there(path / "config_sentence_transformers.json")
    said.refuse("model_type", "SentenceTransformer")
    network = network_of(configuration)
    if mixed is not None and not isinstance(network, BuiltNetwork):
        raise ModelError(f"{path / MODULES}: an exported graph does not give the layers' states for a {LAYER_MIX}")
    mix = None if mixed is None else read_layer_mix(path / mixed[1], configuration)
    return ModelFolder(
        path=path,
        transformer=transformer,
        configuration=configuration,
        network=network,
        modes=modes,
        include_prompt=include_prompt,
        layers=read_layers([(kind, path / place) for kind, place in modules[2:]], network.width * len(modes)),
        max_tokens=longest_input(network.positions, settings),
        lower_case=settings.truth("do_lower_case", False),
        prompts=_prompts(said),
        similarity=_similarity(said),
        dimension=_truncate_dim(said),
        shorter=_shorter(said),
        mix=mix,
    )


def _static(path: Path, modules: Sequence[tuple[str, str]]) -> ModelFolder:
    """A table of rows for tokens, and what follows it."""
    said = Configuration.read_if_there(path / "config_sentence_transformers.json")
    said.refuse("model_type", "SentenceTransformer")
    if others := [kind for kind, _ in modules[1:] if kind != "Normalize"]:
        raise ModelError(f"{path / MODULES}: the module {others[0]!r} is not known after a {STATIC}; Normalize is")
    folder = path / modules[0][1]
    return ModelFolder(
        path=path,
        transformer=folder,
        configuration=Configuration(folder / "model.safetensors", {}),
        network=None,
        modes=("mean",),
        include_prompt=True,
        layers=read_layers([(kind, path / place) for kind, place in modules[1:]], 0),
        max_tokens=ENDLESS,
        lower_case=False,
        prompts=_prompts(said),
        similarity=_similarity(said),
        dimension=_truncate_dim(said),
        shorter=_shorter(said),
    )


def transformer_configuration(folder: Path) -> Configuration:
    """config.json of the transformer. Raises ModelError for what makes it another model than an encoder of texts."""
    configuration = text_part(Configuration.read(folder / "config.json"))
    for field in ("is_decoder", "add_cross_attention", "is_encoder_decoder"):
        configuration.refuse(field, False)
    configuration.refuse("quantization_config")
    configuration.refuse("pruned_heads", {})
    if (folder / "adapter_config.json").is_file():
        raise ModelError(f"{folder / 'adapter_config.json'}: adapters are not supported; merge them into the weights")
    return configuration


def is_untied(path: Path) -> bool:
    """Whether a folder has a tower for each side. Raises ModelError where its modules cannot be read."""
    return (path / MODULES).is_file() and [kind for kind, _ in listed_modules(path / MODULES)] == [ROUTER]


def module_folders(path: Path) -> list[Path]:
    """The folders of a model's modules, in order; of a model without modules.json its own. Raises ModelError."""
    return [path / place for _, place in _modules(path, "document")]


def _modules(path: Path, side: Side) -> list[tuple[str, str]]:
    """(kind, folder) of each module in order, checked to be a Transformer and a Pooling, or a table, and layers."""
    file = path / MODULES
    if not file.is_file():
        if not path.is_dir():
            raise ModelError(f"{path} is no folder")
        return [("Transformer", "")]
    modules = listed_modules(file)
    if [kind for kind, _ in modules] == [ROUTER]:
        file, modules = _routed(path / modules[0][1], side)
    kinds = [kind for kind, _ in modules]
    if kinds[1:2] == [LAYER_MIX]:
        del kinds[1]
    if kinds[:1] != [STATIC] and kinds[:2] != ["Transformer", "Pooling"]:
        raise ModelError(f"{file}: the first modules must be Transformer and Pooling, or {STATIC}, not {kinds[:2]}")
    for kind in kinds[1 if kinds[0] == STATIC else 2 :]:
        if kind not in LAYERS:
            known = ", ".join(LAYERS)
            raise ModelError(f"{file}: the module {kind!r} is not known after the pooling; known are {known}")
    return modules


def listed_modules(file: Path) -> list[tuple[str, str]]:
    """(kind, folder) of each module that a modules.json names. Raises ModelError where it cannot be read."""
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
        modules = [(str(module["type"]), str(module.get("path", ""))) for module in listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read as a list of modules with type and path: {error!r}") from error
    return [(_kind(file, kind), place) for kind, place in modules]


def _kind(file: Path, name: str) -> str:
    """The last part of a class's name. Raises ModelError for a class that is not one of sentence-transformers' or
    PyLate's.
    """
    if not name.startswith(("sentence_transformers.", "pylate.models.")):
        raise ModelError(f"{file}: the module {name!r} is not one of sentence-transformers")
    return name.rsplit(".", 1)[-1]


def _routed(path: Path, side: Side) -> tuple[Path, list[tuple[str, str]]]:
    """The modules of one side, as a Router lists them, and the file that says so."""
    file = path / "router_config.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        modules = [(str(said["types"][name]), name) for name in said["structure"][side]]
        mapped = (said.get("parameters") or {}).get("route_mappings")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read as routes for a query and a document: {error!r}") from error
    if mapped:
        raise ModelError(f"{file}: route_mappings are not supported")
    return file, [(_kind(file, kind), name) for kind, name in modules]


def pooling_settings(path: Path) -> tuple[tuple[str, ...], bool]:
    """The modes of a Pooling module, in order, and whether a prompt's tokens count."""
    configuration = Configuration.read(path / "config.json")
    said = configuration.values.get("pooling_mode")
    if said is None:
        said = [mode for field, mode in MODE_FIELDS.items() if configuration.truth(field, False)] or ["mean"]
    modes = (said,) if isinstance(said, str) else tuple(said)
    for mode in modes:
        if mode not in POOLING:
            raise ModelError(
                f"{configuration.path}: the pooling mode {mode!r} is not known; known: {', '.join(POOLING)}"
            )
    return modes, configuration.truth("include_prompt", True)


def _truncate_dim(said: Configuration) -> int | None:
    if not said.has("truncate_dim"):
        return None
    if (dimension := said.integer("truncate_dim")) < 1:
        raise ModelError(f"{said.path}: truncate_dim must be at least 1, not {dimension}")
    return dimension


def _shorter(said: Configuration) -> tuple[int, ...]:
    """The trained prefixes; a truncate_dim that the model's author states is one too."""
    stated = said.values.get(SHORTER) or []
    if not isinstance(stated, list) or not all(type(each) is int for each in stated):
        raise ModelError(f"{said.path}: {SHORTER} must be a list of whole numbers, not {stated!r}")
    own = _truncate_dim(said)
    return tuple(sorted({*stated, *([] if own is None else [own])}))


def longest_input(positions: int, settings: Configuration) -> int:
    """What the module asks for; else the tokenizer's own limit; never more than the model has positions."""
    if (stated := stated_length(settings)) is not None:
        return min(stated, positions)
    tokenizer = Configuration.read_if_there(settings.path.parent / "tokenizer_config.json")
    limit = tokenizer.values.get("model_max_length")
    return min(int(limit), positions) if isinstance(limit, int | float) else positions


def _prompts(said: Configuration) -> Prompts:
    """The query's and the document's prompt; the default prompt replaces one that is not named."""
    prompts = said.values.get("prompts") or {}
    if not isinstance(prompts, Mapping):
        raise ModelError(f"{said.path}: prompts must be an object, not {type(prompts).__name__}")
    default = said.values.get("default_prompt_name")
    if default is not None and default not in prompts:
        raise ModelError(f"{said.path}: default_prompt_name {default!r} is not among the prompts {sorted(prompts)}")
    return Prompts(_named(prompts, ("query",), default), _named(prompts, ("document", "passage", "corpus"), default))


def _named(prompts: Mapping[str, Any], names: tuple[str, ...], default: str | None) -> str | None:
    """The first prompt of these names that is not empty: sentence-transformers writes an empty one for "document"
    beside the "passage" that a model was trained with. An empty one still keeps the default prompt away.
    """
    stated = [str(prompts[name]) for name in names if prompts.get(name) is not None]
    if stated:
        return next((prompt for prompt in stated if prompt), "")
    return str(prompts[default]) if default is not None and prompts.get(default) is not None else None


def _similarity(said: Configuration) -> Similarity:
    name = said.text("similarity_fn_name", "cosine")
    if name == "cosine":
        return "cosine"
    if name == "dot":
        return "dot"
    raise ModelError(f"{said.path}: similarity_fn_name {name!r} is not supported; supported are cosine and dot")
