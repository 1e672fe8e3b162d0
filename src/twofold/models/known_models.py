"""Prompts of known models whose configuration files do not state them."""

from __future__ import annotations

from twofold.contract import Side
from twofold.models.folder import ModelFolder


def prompts_of(folder: ModelFolder, source: str | None) -> dict[Side, str]:  # noqa: ARG001
    """The prompt of each side."""
    return {"query": folder.prompts.query or "", "document": folder.prompts.document or ""}
