"""How a language model is asked about a pair: the texts that its chat template puts before, between and after them.

The template of a folder is Jinja. It is rendered in Jinja's sandbox, twice, when the model is loaded: with marks in the
place of question and document, and with other texts to see that it passes them through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from twofold.errors import MissingExtraError, ModelError
from twofold.models.configuration import Configuration
from twofold.models.module_settings import CHAT

FILE = "chat_template.jinja"
MARKS = ("\ue000", "\ue001")
"""Characters for private use, which no template writes."""
PROBES = (" who\nwrote it? ", "\tShe did. ")
NOT_RENDERED = ("restore_suffix", "max_length", "truncation", "padding")
"""Arguments of a chat template in the settings that sentence-transformers takes for itself."""


@dataclass(frozen=True, slots=True)
class PairTemplate:
    """The texts around a pair. strips: whether white space at the ends of question and document is left out."""

    before: str
    between: str
    after: str
    strips: bool = False

    def parts(self, question: str, document: str) -> tuple[str, str, str, str, str]:
        """The five texts that the model reads one after the other."""
        if self.strips:
            question, document = question.strip(), document.strip()
        return self.before, question, self.between, document, self.after


def read_pair_template(folder: Path, settings: Configuration, prompt: str) -> PairTemplate | None:
    """The chat template of a folder as texts around a pair; None where pairs are read without one.

    settings: those of the Transformer module. prompt: the instruction; empty leaves it to the template. Raises
    ModelError for a template that cannot be rendered, or not with a question before a document; MissingExtraError
    without Jinja.
    """
    modalities, said = (
        settings.mapping("modality_config"),
        Configuration.read_if_there(folder / "tokenizer_config.json"),
    )
    source, path = _source(folder, said)
    if source is None or (modalities and "message" not in modalities):
        return None
    template, arguments = _compiled(source, path), dict(settings.mapping("processing_kwargs").get(CHAT) or {})
    stated = (modalities.get("message") or {}).get("format")
    values = {**_special(said), "add_generation_prompt": False, **arguments}
    for name in NOT_RENDERED:
        values.pop(name, None)
    failures = []
    for flat in (True, False) if stated is None else (stated == "flat",):
        found = _around(template, values, prompt, flat)
        if isinstance(found, PairTemplate):
            return found
        failures.append(found)
    raise ModelError(
        f"{path}: the chat template cannot take a pair as messages of the roles 'query' and 'document' "
        f"({failures[0]}); known are templates that write the query once, then the document once"
    )


def _source(folder: Path, said: Configuration) -> tuple[str | None, Path]:
    path = folder / FILE
    if path.is_file():
        return path.read_text(encoding="utf-8"), path
    stated = said.values.get(CHAT)
    if isinstance(stated, list):
        stated = {str(each.get("name")): each.get("template") for each in stated}.get("default")
    if stated is not None and not isinstance(stated, str):
        raise ModelError(f"{said.path}: the field {CHAT!r} must be a text or a list of named ones")
    return stated, said.path


def _compiled(source: str, path: Path) -> Any:
    try:
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise MissingExtraError("jinja2", "rerank") from None
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refused
    try:
        return environment.from_string(source)
    except TemplateError as error:
        raise ModelError(f"{path} cannot be read as a template: {error}") from error


def _refused(said: str) -> NoReturn:
    raise ValueError(said)


def _special(said: Configuration) -> dict[str, str]:
    """The special tokens by the names under which templates know them."""
    tokens = {field: value for field, value in said.values.items() if field.endswith("_token")}
    return {
        field: str(value["content"] if isinstance(value, Mapping) else value)
        for field, value in tokens.items()
        if isinstance(value, str | Mapping)
    }


def _around(template: Any, values: Mapping[str, Any], prompt: str, flat: bool) -> PairTemplate | str:
    """The texts around a pair, or in words why there are none."""
    try:
        marked, probed = (_rendered(template, values, prompt, pair, flat) for pair in (MARKS, PROBES))
    except Exception as error:  # noqa: BLE001 - a template may raise anything
        return f"it raises {type(error).__name__}: {error}"
    before, question, rest = marked.partition(MARKS[0])
    between, document, after = rest.partition(MARKS[1])
    if not question or not document or any(mark in after + between for mark in MARKS):
        return "they are not written once each, in this order"
    for strips in (False, True):
        found = PairTemplate(before, between, after, strips)
        if "".join(found.parts(*PROBES)) == probed:
            return found
    return "it changes the texts"


def _rendered(template: Any, values: Mapping[str, Any], prompt: str, pair: tuple[str, str], flat: bool) -> str:
    turns = [*([("system", prompt)] if prompt else []), *zip(("query", "document"), pair, strict=True)]
    messages = [{"role": role, "content": text if flat else [{"type": "text", "text": text}]} for role, text in turns]
    return str(template.render(messages=messages, tools=None, documents=None, **values))
