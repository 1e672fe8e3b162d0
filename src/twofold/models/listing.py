"""The models that can be named as encoders: the embedded one, those in the hub's cache, and well-known ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from twofold.errors import ModelError
from twofold.models.configuration import ENDLESS
from twofold.models.exported import exported_file
from twofold.models.folder import ModelFolder, read_model_folder
from twofold.models.hub import cached_folder, cached_names
from twofold.models.known_models import MODELS, KnownModel, known_model, prompts_of
from twofold.models.locating import DEFAULT_NAME, embedded_folder
from twofold.models.weights import weight_files

Place = Literal["embedded", "cached", "hub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model that `load_encoder` takes by its name, or the reason why it does not.

    place: "embedded" (needs no network), "cached" (in the hub's cache), or "hub" (fetched when it is first loaded).
    dimension: numbers a vector; max_tokens: the longest input; None where that is unknown or there is no limit.
    query_prompt, document_prompt: put before each text. languages, licence, good_for, source: as the model card states
    them (source: its address); "" for a model that is not among the known ones. shortest: the fewest numbers of a
    vector for which it was trained; None where it was not, or nothing is known. problem: why a cached model cannot be
    loaded without the network or at all; "" where it can.
    """

    name: str
    place: Place
    dimension: int | None
    max_tokens: int | None
    query_prompt: str = ""
    document_prompt: str = ""
    languages: str = ""
    licence: str = ""
    good_for: str = ""
    shortest: int | None = None
    source: str = ""
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def list_models() -> list[ListedModel]:
    """The embedded model, then those in the hub's cache, then the known ones that are neither.

    Reads configurations, no weights, and asks nobody on the network. Raises ModelError where the cache is no
    folder, OSError where it cannot be read.
    """
    cached = [_cached(name) for name in cached_names()]
    here = {model.name.lower() for model in cached}
    if embedded_folder() is not None:
        cached = [_known(MODELS[0], "embedded"), *cached]
        here.add(DEFAULT_NAME.lower())
    return [*cached, *(_known(model, "hub") for model in MODELS if model.name.lower() not in here)]


def _known(model: KnownModel, place: Place, problem: str = "") -> ListedModel:
    return ListedModel(
        name=model.name,
        place=place,
        dimension=model.dimension,
        max_tokens=model.max_tokens,
        query_prompt=model.prompts.query or "",
        document_prompt=model.prompts.document or "",
        languages=model.languages,
        licence=model.licence,
        good_for=model.good_for,
        shortest=model.shortest,
        source=model.source,
        problem=problem,
    )


def _cached(name: str) -> ListedModel:
    """A model of the cache, as its own files describe it where it is not a known one."""
    known, problem, folder = known_model(name), "", None
    try:
        folder = _readable(cached_folder(name))
    except ModelError as error:
        problem = str(error)
    if known is not None:
        return _known(known, "cached", problem)
    if folder is None:
        return ListedModel(name=name, place="cached", dimension=None, max_tokens=None, problem=problem)
    prompts = prompts_of(folder, name)
    return ListedModel(
        name=name,
        place="cached",
        dimension=_dimension(folder),
        max_tokens=None if folder.max_tokens == ENDLESS else folder.max_tokens,
        query_prompt=prompts["query"],
        document_prompt=prompts["document"],
    )


def _readable(path: Path | None) -> ModelFolder:
    """The settings of a cached copy. Raises ModelError where it is no encoder that is read here, or not a whole one."""
    if path is None:
        raise ModelError("the cached copy is not whole: loading it fetches the rest")
    folder = read_model_folder(path)
    if exported_file(folder.transformer) is None:
        weight_files(folder.transformer)
    return folder


def _dimension(folder: ModelFolder) -> int | None:
    """Numbers a vector, as far as they are known without the weights: a table of tokens states them nowhere else."""
    if folder.network is None:
        return folder.dimension
    whole = folder.whole_dimension(folder.network.width)
    return min(folder.dimension or whole, whole)
