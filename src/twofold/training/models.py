"""The sentence-transformers model that is trained: one for both sides or one for each, adapters, blending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twofold.contract import Contract
from twofold.errors import InputError, MissingExtraError
from twofold.models.folder import is_untied
from twofold.models.locating import find_model
from twofold.models.weights import IN_INT8
from twofold.training.settings import TrainingSettings

WITHOUT_ATTENTION_DROPOUT = {"attention_probs_dropout_prob": 0.0, "attention_dropout": 0.0}
"""By the names of BERT's and DistilBERT's configurations: with it, torch's fused attention does not run on a CPU, and a
step of 64 texts of 256 tokens took 17.3 s where it takes 7.4; the dropout of the other layers stays."""


def opened(base: Path, contract: Contract, settings: TrainingSettings) -> Any:
    """The base, ready to be trained: with towers of its own for each side, or adapters, where the settings say so."""
    from sentence_transformers import SentenceTransformer

    model = _loaded(base, contract)
    if settings.towers == "untied":
        from sentence_transformers.sentence_transformer.modules import Router

        twin = _loaded(base, contract)
        router = Router.for_query_document([*twin], [*model])
        model = SentenceTransformer(modules=[router], similarity_fn_name=model.similarity_fn_name)
    model.prompts = {"query": contract.query_prompt, "document": contract.document_prompt}
    if settings.lora:
        _add_adapters(model, settings.lora)
    return model


def _loaded(base: Path, contract: Contract) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base), config_kwargs=WITHOUT_ATTENTION_DROPOUT)
    model.max_seq_length = contract.max_tokens
    return model


def guide_of(base: Path, contract: Contract, settings: TrainingSettings) -> Any:
    """The model that decides which texts are no negatives: the teacher, or the original base."""
    from sentence_transformers import SentenceTransformer

    if settings.teacher is None:
        return _loaded(base, contract).eval()
    return SentenceTransformer(str(find_model(settings.teacher).folder)).eval()


def transformers_in(model: Any) -> list[Any]:
    """The transformers models inside: one, or one for each side."""
    return [module.auto_model for module in model.modules() if hasattr(module, "auto_model")]


def _add_adapters(model: Any, rank: int) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtraError("peft", "train") from error
    for inner in transformers_in(model):
        linear = sorted({name.rpartition(".")[2] for name, layer in inner.named_modules() if _is_linear(layer)})
        configuration = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=linear)
        inject_adapter_in_model(configuration, inner)


def _is_linear(layer: Any) -> bool:
    import torch

    return isinstance(layer, torch.nn.Linear)


def without_adapters(model: Any) -> None:
    """Merges adapters into the weights, and removes them."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for inner in transformers_in(model):
        for name, layer in list(inner.named_modules()):
            if isinstance(layer, BaseTunerLayer):
                layer.merge()
                above, _, own = name.rpartition(".")
                setattr(inner.get_submodule(above), own, layer.get_base_layer())
        inner.requires_grad_(True)


def trainable(name: str | Path | None) -> Path:
    """The folder of a base. Raises ModelError, and InputError for a tower for each side already, and for int8."""
    folder = find_model(name).folder
    if is_untied(folder):
        raise InputError("the model has a tower for each side already; name one whose sides share weights", path=folder)
    if any(folder.rglob(IN_INT8)):
        raise InputError("weights in int8 cannot be trained; name the model that they were made from", path=folder)
    return folder


def weights_of(model: Any) -> dict[str, Any]:
    """A copy of all weights, on the processor: a GPU's memory is for training."""
    return {name: weight.cpu().clone() for name, weight in model.state_dict().items()}


def blend(model: Any, start: Mapping[str, Any], share: float) -> None:
    """Blends the trained weights with the original ones."""
    blended = {
        name: start[name].lerp(weight, share) if weight.is_floating_point() else weight
        for name, weight in model.cpu().state_dict().items()
    }
    model.load_state_dict(blended)
