"""Hooks of the site (mkdocs.yml): the pages outside docs/ become pages of the site, with their links changed to match.

README.md is the start page; CONTRIBUTING.md and CHANGELOG.md have pages of their own, LICENSE is a file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
DECISIONS = "decisions/001-one-function-scores.md"
"""Where a link to the folder of decisions leads."""


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that are outside docs/."""
    from mkdocs.structure.files import File

    for source, page in PAGES.items():
        text = inside((ROOT / source).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "LICENSE", abs_src_path=str(ROOT / "LICENSE")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What the site's Markdown writes otherwise than GitHub's.

    A fence has one word, so `text output` (tests/test_docs.py) becomes `text`; code in a table has bare bars.
    """
    text = re.sub(r"^( *```)text output$", r"\1text", markdown, flags=re.MULTILINE)
    return re.sub(r"^\|.*\|$", lambda row: _with_bare_bars(row[0]), text, flags=re.MULTILINE)


def _with_bare_bars(row: str) -> str:
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), row)


def inside(text: str) -> str:
    """A page of the root folder as a page of docs/: links without `docs/`, and by the names that pages have there."""

    def moved(match: re.Match[str]) -> str:
        target = match[1].removeprefix("docs/")
        name, separator, anchor = target.partition("#")
        name = DECISIONS if name.rstrip("/") == "decisions" else PAGES.get(name, name)
        return f"]({name}{separator}{anchor})"

    return re.sub(r"\]\(([^)\s]+)\)", moved, text)
