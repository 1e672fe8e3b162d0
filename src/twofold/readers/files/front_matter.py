"""Front matter: metadata at the head of a Markdown file (YAML or TOML) or of a reStructuredText file (a field list)."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

LONGEST = 1 << 16
"""Characters of front matter; longer, it is text."""

_FIELD = r":[^:\n]+:(?:[ \t][^\n]*)?\n(?:[ \t]+\S[^\n]*\n)*"
_fields = re.compile(rf"\s*((?:{_FIELD})+)(?:\n|\Z)")
_field = re.compile(r":([^:\n]+):[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)")
_fenced = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)^\1[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _Loader


def of_markdown(text: str) -> tuple[dict[str, Any], str]:
    """(front matter, the text below it). YAML between lines of `---`, or TOML between lines of `+++`.

    What is neither, or no mapping, is text: then the text comes back as it was, with no metadata.
    """
    found = _fenced.match(text, 0, LONGEST)
    if found is None:
        return {}, text
    values = _of_yaml(found[2]) if found[1] == "---" else _of_toml(found[2])
    return ({}, text) if values is None else (values, text[found.end() :].lstrip("\n"))


def of_restructured(text: str) -> tuple[dict[str, Any], str]:
    """(the field list at the head, the text below it), as Sphinx reads it."""
    found = _fields.match(text, 0, LONGEST)
    if found is None:
        return {}, text
    values = {name.strip(): " ".join(value.split()) for name, value in _field.findall(found[1])}
    return values, text[found.end() :].lstrip("\n")


def _of_yaml(head: str) -> dict[str, Any] | None:
    try:
        # An alias may stand for a value that holds aliases: a few lines would become gigabytes.
        if "*" in head and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(head, _Loader)):
            return None
        values = yaml.load(head, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return _with_names(values)


def _of_toml(head: str) -> dict[str, Any] | None:
    try:
        return _with_names(tomllib.loads(head))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _with_names(values: Any) -> dict[str, Any] | None:
    return {str(name): value for name, value in values.items()} if isinstance(values, dict) else None
