"""Documentation that cannot rot: its examples run, its links lead somewhere, its generated pages are fresh.

A fenced block of Python or shell runs, all blocks of a page in order, in one empty folder and (Python) one namespace.
A block marked `text` does not run; one marked `text output` is what the block before it prints, numbers aside.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = {"sh", "bash", "shell"}
SHOWN = {"text", "text output", "json", "toml", "csv", "sql", "html"}


@dataclass(frozen=True)
class Block:
    """A fenced block: what its fence says, its lines, and where it begins."""

    language: str
    code: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    opened: tuple[str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.splitlines(), 1):
        if not line.lstrip().startswith("```"):
            lines.append(line)
        elif opened is None:
            opened, lines = (line.strip().removeprefix("```"), number), []
        else:
            yield Block(opened[0], "\n".join(lines) + "\n", opened[1])
            opened = None
    if opened is not None:
        yield Block("never closed", "", opened[1])


def run_page(text: str, name: str, folder: Path) -> None:
    """Runs a page's blocks; AssertionError where one fails or prints something else than the page shows."""
    names: dict[str, Any] = {"__name__": "__docs__"}
    printed = ""
    for block in blocks(text):
        place = f"{name}:{block.line}"
        if block.language == "python":
            printed = _run_python(block, place, names)
        elif block.language in SHELL:
            printed = _run_shell(block, place, folder)
        elif block.language == "text output":
            assert _without_numbers(printed) == _without_numbers(block.code), f"{place} shows other output:\n{printed}"
        else:
            assert block.language in SHOWN, f"{place}: a block marked {block.language!r}; mark it text, python or sh"


def _run_python(block: Block, place: str, names: dict[str, Any]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile("\n" * block.line + block.code, place, "exec"), names)
    return output.getvalue()


def _run_shell(block: Block, place: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{place} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def _without_numbers(text: str) -> list[str]:
    return [" ".join(re.sub(r"\d[\d.,]*", "0", line).split()) for line in text.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page.read_text(encoding="utf-8"), str(page.relative_to(ROOT)), tmp_path)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```python\n1 / 0\n```", "division by zero"),
        ("```python\na = 1\n```\n\n```python\nassert a == 2, 'not two'\n```", "not two"),
        ("```sh\nfalse\ntrue\n```", "ended with 1"),
        ("```python\nprint('a 1.5')\n```\n```text output\nb 1.5\n```", "shows other output"),
        ("```\nno language\n```", "marked ''"),
        ("```python\n", "marked 'never closed'"),
    ],
)
def test_a_broken_example_is_seen(page: str, said: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ZeroDivisionError), match=said):
        run_page(page, "page", tmp_path)


def test_a_good_page_passes(tmp_path: Path) -> None:
    page = "```python\nprint('a', 1.5)\n```\n```text output\na 2.25\n```\n"
    page += "```text\nmake demo\n```\n```sh\necho $PWD >x\n```"
    run_page(page, "page", tmp_path)
    assert (tmp_path / "x").read_text(encoding="utf-8").strip() == str(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in _anchors(file.read_text(encoding="utf-8")), f"{page.name} links to {target}"


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_file_of_the_contributing_table_exists() -> None:
    table = [
        line for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")
    ]
    names = [name for line in table for name in re.findall(r"`([\w./*-]*/[\w./*-]*|[\w-]+\.(?:py|md|toml|txt))`", line)]
    assert names
    assert [name for name in names if not _exists(name)] == []


def _exists(name: str) -> bool:
    return any(next(place.glob(name.rstrip("/")), None) for place in (ROOT, ROOT / "src" / "twofold"))


def test_the_command_line_page_is_made_from_the_parser() -> None:
    source = ROOT / "docs" / "generate.py"
    specification = importlib.util.spec_from_file_location("generate", source)
    assert specification is not None
    assert specification.loader is not None
    generate = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generate)
    assert generate.PAGE.read_text(encoding="utf-8") == generate.cli_reference(), (
        "docs/cli.md is stale: run `make docs`"
    )


def test_the_readme_shows_a_runnable_example_within_thirty_lines() -> None:
    first = next(
        block
        for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if block.language in {"python", *SHELL}
    )
    assert first.line <= 30
