"""Jupyter notebooks: their text and code, without what the code printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.readers.files.extracted import Extracted, content, first_heading
from twofold.readers.opening import BYTE_ORDER_MARK, decoded


def of_notebook(path: Path) -> Iterator[Extracted]:
    """Cells in their order, code in fences of the notebook's language. Raises InputError where it is no notebook."""
    try:
        notebook = json.loads(decoded(content(path).removeprefix(BYTE_ORDER_MARK), path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"no notebook: {error}") from None
    cells = _cells(notebook)
    language = _language(notebook)
    blocks = [_block(cell, language) for cell in cells if isinstance(cell, dict)]
    text = "\n\n".join(filter(None, blocks))
    yield Extracted(text, first_heading(text), {"language": language}, empty="no text in this notebook")


def _cells(notebook: Any) -> list[Any]:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict):  # version 3 of the format
        sheets = notebook.get("worksheets")
        cells = sheets[0].get("cells") if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict) else None
    if not isinstance(cells, list):
        raise InputError("no notebook: it has no cells")
    return cells


def _language(notebook: dict[str, Any]) -> str:
    about = notebook.get("metadata")
    kernel = about.get("kernelspec") if isinstance(about, dict) else None
    named = kernel.get("language") if isinstance(kernel, dict) else None
    return named if isinstance(named, str) else "python"


def _block(cell: dict[str, Any], language: str) -> str:
    source = cell.get("source", cell.get("input", ""))
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    if not text.strip():
        return ""
    match cell.get("cell_type"):
        case "code":
            return f"```{language}\n{text}\n```"
        case "heading":
            level = cell.get("level", 1)
            return "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + text
        case _:
            return text
