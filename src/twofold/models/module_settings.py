"""What sentence-transformers' files say of a Transformer module: each field is applied or refused.

The file's name followed the architecture once, so a folder may hold any of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twofold.errors import ModelError
from twofold.models.configuration import Configuration

FILES = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""In the order in which sentence-transformers looks for them; the first that says anything is taken."""
TOKENIZER_FIELDS = ("processor_kwargs", "tokenizer_args")
OTHER_FIELDS = ("model_kwargs", "model_args", "config_kwargs", "config_args", "processing_kwargs")
HARMLESS = {"attn_implementation", "trust_remote_code", "torch_dtype", "dtype", "use_cache"}
"""Keys of these objects that change the speed or the precision of the arithmetic, not what is computed."""
CHAT = "chat_template"
"""The key of processing_kwargs under which the arguments of a chat template stand."""
KNOWN = {"max_seq_length", "do_lower_case", "unpad_inputs", *TOKENIZER_FIELDS, *OTHER_FIELDS}
TASKS = {
    "feature-extraction": ("token_embeddings", "last_hidden_state"),
    "sequence-classification": ("scores", "logits"),
    "text-generation": ("causal_logits", "logits"),
}
"""transformer_task → module_output_name, and the output of the model that stands behind it."""
STATES = "feature-extraction"


def module_settings(folder: Path, task: str = STATES, more: Sequence[str] = ()) -> Configuration:
    """The fields of the Transformer module in this folder. Raises ModelError for one that is not supported.

    task: what the module has to make, one of TASKS. more: fields that whoever asks applies.
    """
    read = (Configuration.read_if_there(folder / name) for name in FILES)
    settings = next((each for each in read if each.values), Configuration(folder / FILES[0], {}))
    settings.refuse("transformer_task", task)
    settings.refuse("module_output_name", TASKS[task][0])
    _refuse_other_modalities(settings, task)
    for field in OTHER_FIELDS:
        _refuse_keys(settings, field, HARMLESS if task == STATES else {*HARMLESS, CHAT})
    for field in TOKENIZER_FIELDS:
        _refuse_keys(settings, field, {*HARMLESS, "model_max_length"})
    for field in sorted(
        set(settings.values) - KNOWN - {*more, "transformer_task", "module_output_name", "modality_config"}
    ):
        settings.refuse(field)
    return settings


def stated_length(settings: Configuration) -> int | None:
    """The longest input that the module asks for; None where it leaves that to the tokenizer."""
    for field in TOKENIZER_FIELDS:
        inner = Configuration(settings.path, settings.mapping(field))
        if inner.has("model_max_length"):
            return inner.integer("model_max_length")
    return settings.integer("max_seq_length") if settings.has("max_seq_length") else None


def _refuse_keys(settings: Configuration, field: str, known: set[str]) -> None:
    for key in sorted(set(settings.mapping(field)) - known):
        raise ModelError(f"{settings.path}: {key!r} in the field {field!r} is not supported")


def _refuse_other_modalities(settings: Configuration, task: str) -> None:
    modalities, output = settings.mapping("modality_config"), TASKS[task][1]
    if modalities and modalities.get("text") != {"method": "forward", "method_output_name": output}:
        raise ModelError(f"{settings.path}: modality_config must take a text's {output} by forward")
