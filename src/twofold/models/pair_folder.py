"""The folder of a cross-encoder, read into frozen settings.

It is one of three things: a *ForSequenceClassification of transformers; since sentence-transformers 5.4 modules, of
which the last makes the scores; or a language model that is asked, whose logits of two tokens are the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twofold.errors import ModelError
from twofold.models.architectures import ARCHITECTURES, architecture_of
from twofold.models.chat_template import PairTemplate, read_pair_template
from twofold.models.configuration import Configuration
from twofold.models.folder import MODULES, listed_modules, longest_input, pooling_settings, transformer_configuration
from twofold.models.heads import HEADS
from twofold.models.layers import LAYERS, Layer, read_layers, torch_activation
from twofold.models.module_settings import STATES, module_settings

CLASSIFIER, LANGUAGE_MODEL = "sequence-classification", "text-generation"
LOGIT_SCORE = "LogitScore"
LANGUAGE_MODELS = ("qwen3",)
"""model_type of the language models that can be asked."""
YES, NO = "yes", "no"
"""The answers of a language model whose folder names none, as sentence-transformers takes them."""
ENDS = {"ForSequenceClassification": CLASSIFIER, "ForCausalLM": LANGUAGE_MODEL}
"""End of an architecture's name in config.json → what it makes."""
SCORE_ACTIVATIONS = ("Identity", "Sigmoid", "Tanh")
ACTIVATION_FIELD = "activation_fn"


@dataclass(frozen=True, slots=True)
class Answers:
    """The tokens whose logits are a language model's answer: a number, a text to be looked up, or none."""

    yes: int | str
    no: int | str | None


@dataclass(frozen=True, slots=True)
class PairFolder:
    """Everything in a folder that determines how a pair becomes a score, except the tensors and the tokenizer.

    task: one of module_settings.TASKS. modes, layers: the pooling and what follows it, for the task of the states.
    answers: for a language model. prompt: put before each question, or the instruction of a template. activation: what
    makes a score of the one logit. labels: names of the logits of a classifier, by their order.
    """

    path: Path
    transformer: Path
    configuration: Configuration
    task: str
    max_tokens: int
    lower_case: bool
    prompt: str
    template: PairTemplate | None
    activation: str
    labels: tuple[str, ...]
    modes: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    answers: Answers | None = None


def read_pair_folder(path: Path, prompt: str | None = None) -> PairFolder:
    """The settings of a cross-encoder's folder. prompt: in place of the folder's own.

    Raises ModelError naming the file and the field that is missing or unknown.
    """
    said = Configuration.read_if_there(path / "config_sentence_transformers.json")
    said.refuse("model_type", "CrossEncoder")
    modules = _modules(path)
    transformer = path / modules[0][1]
    configuration = transformer_configuration(transformer)
    task = _task(modules, configuration)
    _refuse_unknown(configuration, task)
    architecture = architecture_of(configuration)
    settings = module_settings(transformer, task)
    prompt = _prompt(said) if prompt is None else prompt
    modes, layers = _layers(path, modules, architecture.width(configuration)) if task == STATES else ((), ())
    return PairFolder(
        path=path,
        transformer=transformer,
        configuration=configuration,
        task=task,
        max_tokens=longest_input(architecture.positions(configuration), settings),
        lower_case=settings.truth("do_lower_case", False),
        prompt=prompt,
        template=read_pair_template(transformer, settings, prompt),
        activation=_activation(said, configuration),
        labels=_labels(configuration),
        modes=modes,
        layers=layers,
        answers=_answers(path, modules) if task == LANGUAGE_MODEL else None,
    )


def pair_module_folders(path: Path) -> list[Path]:
    """The folders of a cross-encoder's modules, the transformer's first. Raises ModelError."""
    return [path / place for _, place in _modules(path)]


def is_cross_encoder(path: Path) -> bool:
    """Whether a model's folder says that it scores pairs: its own words, or a classifier without modules."""
    said = Configuration.read_if_there(path / "config_sentence_transformers.json").values.get("model_type")
    if said is not None or (path / MODULES).is_file():
        return said == "CrossEncoder"
    named = Configuration.read_if_there(path / "config.json").values.get("architectures")
    return isinstance(named, list) and bool(named) and str(named[0]).endswith("ForSequenceClassification")


def _modules(path: Path) -> list[tuple[str, str]]:
    """(kind, folder) of each module in order, checked to be one of the three things."""
    file = path / MODULES
    if not file.is_file():
        return [("Transformer", "")]
    modules = listed_modules(file)
    first, *others = [kind for kind, _ in modules] or [""]
    is_layered = others[:1] == ["Pooling"] and all(kind in LAYERS for kind in others[1:]) and others[-1] == "Dense"
    if first != "Transformer" or not (others in ([], [LOGIT_SCORE]) or is_layered):
        raise ModelError(
            f"{file}: the modules {[first, *others]} are no cross-encoder; known are a Transformer alone, with "
            f"{LOGIT_SCORE}, or with Pooling, layers ({', '.join(LAYERS)}) and a Dense that makes the scores. An "
            "encoder is loaded by load_encoder"
        )
    return modules


def _task(modules: list[tuple[str, str]], configuration: Configuration) -> str:
    """What the transformer makes: classes, logits of tokens, or states."""
    if len(modules) > 1:
        return LANGUAGE_MODEL if modules[1][0] == LOGIT_SCORE else STATES
    named = configuration.values.get("architectures") or []
    name = str(named[0]) if isinstance(named, list) and named else ""
    for end, task in ENDS.items():
        if name.endswith(end):
            return task
    raise ModelError(
        f"{configuration.path}: architectures names {name or 'nothing'}, which has no head that scores a pair; a "
        "cross-encoder is a …ForSequenceClassification, a …ForCausalLM, or has a modules.json whose last module makes "
        "the scores. An encoder is loaded by load_encoder"
    )


def _refuse_unknown(configuration: Configuration, task: str) -> None:
    """Raises ModelError for an architecture of which this kind of cross-encoder is not known."""
    kind = configuration.text("model_type")
    known = {CLASSIFIER: HEADS, LANGUAGE_MODEL: LANGUAGE_MODELS}.get(task, ARCHITECTURES)
    if kind not in known:
        own = " It brings code of its own, which is never run." if configuration.has("auto_map") else ""
        what = {CLASSIFIER: "a classifier", LANGUAGE_MODEL: "a language model that is asked"}.get(task, "a model")
        raise ModelError(
            f"{configuration.path}: {what} of the model_type {kind!r} is not known as a cross-encoder; known are those "
            f"of {', '.join(sorted(known))}.{own}"
        )


def _layers(path: Path, modules: list[tuple[str, str]], width: int) -> tuple[tuple[str, ...], tuple[Layer, ...]]:
    modes, _ = pooling_settings(path / modules[1][1])
    places = [(kind, path / place) for kind, place in modules[2:]]
    return modes, read_layers(places, width * len(modes), "scores")


def _answers(path: Path, modules: list[tuple[str, str]]) -> Answers:
    if len(modules) == 1:
        return Answers(YES, NO)
    said = Configuration.read(path / modules[1][1] / "config.json")
    said.refuse("module_input_name", "causal_logits")
    return Answers(
        said.integer("true_token_id"), said.integer("false_token_id") if said.has("false_token_id") else None
    )


def _prompt(said: Configuration) -> str:
    """The default prompt; the others are there to be asked for."""
    name = said.values.get("default_prompt_name")
    prompts = said.mapping("prompts")
    if name is None:
        return ""
    if name not in prompts:
        raise ModelError(f"{said.path}: default_prompt_name {name!r} is not among the prompts {sorted(prompts)}")
    return str(prompts[name])


def _activation(said: Configuration, configuration: Configuration) -> str:
    """What makes a score of the one logit, as the newest of the places says that name one."""
    older = Configuration(configuration.path, configuration.mapping("sentence_transformers"))
    for place, field in (
        (said, ACTIVATION_FIELD),
        (older, ACTIVATION_FIELD),
        (configuration, "sbert_ce_default_activation_function"),
    ):
        if place.has(field):
            return torch_activation(place, field, "", SCORE_ACTIVATIONS)
    return "sigmoid"


def _labels(configuration: Configuration) -> tuple[str, ...]:
    named: Mapping[str, object] = configuration.mapping("id2label")
    try:
        return tuple(str(named[number]) for number in sorted(named, key=int))
    except ValueError:
        raise ModelError(f"{configuration.path}: id2label must have whole numbers as keys") from None
