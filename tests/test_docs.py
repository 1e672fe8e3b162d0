"""Documentation that cannot rot: its examples run, its links lead somewhere, its generated pages are fresh.

A fenced block of Python or shell runs, all blocks of a page in order, in one empty folder and (Python) one namespace.
A block marked `text` does not run; one marked `text output` is what the block before it prints: times and rates may
differ, and scores by what two precisions of an encoder differ by.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import io
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import twofold
from twofold.filters import OPERATORS, TRUNCATED

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = {"sh", "bash", "shell"}
SIGNATURE = "py"
"""Signatures on the pages of docs/api/, which are made from the code; elsewhere Python is marked python, and runs."""
SHOWN = {"text", "text output", "json", "toml", "csv", "sql", "html"}

LIBRARIES = {"haystack.md": "haystack", "langchain.md": "langchain_core", "llamaindex.md": "llama_index"}
"""Pages whose examples need a library that is not installed beside the tests; `make test-frameworks` runs them."""
TOLERANCE = 0.006
"""Scores differ by so much between f32 and bf16, which an encoder uses where the processor has it."""
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
TIME = re.compile(r"\b[\d.,]+ (?:ms|s|min|h|documents? a second|ms a question)\b")


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


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """Sets levels and handlers of logging back afterwards: a page that shows them would change them for later tests."""
    kept = [(logger, logger.level, list(logger.handlers)) for logger in map(logging.getLogger, ("", "twofold"))]
    try:
        yield
    finally:
        for logger, level, handlers in kept:
            logger.setLevel(level)
            logger.handlers[:] = handlers


def run_page(text: str, name: str, folder: Path) -> None:
    """Runs a page's blocks; AssertionError where one fails or prints something else than the page shows."""
    with logging_kept():
        names: dict[str, Any] = {"__name__": "__docs__"}
        printed = ""
        for block in blocks(text):
            place = f"{name}:{block.line}"
            if block.language == "python":
                printed = _run_python(block, place, names)
            elif block.language in SHELL:
                printed = _run_shell(block, place, folder)
            elif block.language == "text output":
                assert _shows(block.code, printed), f"{place} shows other output:\n{printed}"
            elif not (block.language == SIGNATURE and name.startswith("docs/api/")):
                assert block.language in SHOWN, (
                    f"{place}: a block marked {block.language!r}; mark it text, python or sh"
                )


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


def _shows(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed: white space, times and rates aside, and scores within TOLERANCE."""
    pairs = zip(shown.strip().splitlines(), printed.strip().splitlines(), strict=False)
    same_length = len(shown.strip().splitlines()) == len(printed.strip().splitlines())
    return same_length and all(_same_line(*map(_without_times, pair)) for pair in pairs)


def _without_times(line: str) -> str:
    return " ".join(TIME.sub("TIME", line).split())


def _same_line(shown: str, printed: str) -> bool:
    parts, others = NUMBER.split(shown), NUMBER.split(printed)
    numbers = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=False)
    return [part.strip() for part in parts] == [part.strip() for part in others] and all(
        one == other or ("." in one and "." in other and abs(float(one) - float(other)) <= TOLERANCE)
        for one, other in numbers
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name in LIBRARIES and importlib.util.find_spec(LIBRARIES[page.name]) is None:
        pytest.skip(f"{LIBRARIES[page.name]} is not installed; `make test-frameworks` runs this page")
    monkeypatch.chdir(tmp_path)
    run_page(page.read_text(encoding="utf-8"), str(page.relative_to(ROOT)), tmp_path)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```python\n1 / 0\n```", "division by zero"),
        ("```python\na = 1\n```\n\n```python\nassert a == 2, 'not two'\n```", "not two"),
        ("```sh\nfalse\ntrue\n```", "ended with 1"),
        ("```python\nprint('a 1.5')\n```\n```text output\nb 1.5\n```", "shows other output"),
        ("```python\nprint('a 1.5')\n```\n```text output\na 1.52\n```", "shows other output"),
        ("```python\nprint('a 15')\n```\n```text output\na 16\n```", "shows other output"),
        ("```python\nprint('a\\nb')\n```\n```text output\na\n```", "shows other output"),
        ("```python\nprint('a')\n```\n```py\nprint('a')\n```", "marked 'py'"),
        ("```\nno language\n```", "marked ''"),
        ("```python\n", "marked 'never closed'"),
    ],
)
def test_a_broken_example_is_seen(page: str, said: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ZeroDivisionError), match=said):
        run_page(page, "page", tmp_path)


def test_a_good_page_passes(tmp_path: Path) -> None:
    page = "```python\nprint('a', 1.502, 'in 0.4 s')\n```\n```text output\na  1.500 in 3 s\n```\n"
    page += "```text\nmake demo\n```\n```sh\necho $PWD >x\n```"
    run_page(page, "page", tmp_path)
    assert (tmp_path / "x").read_text(encoding="utf-8").strip() == str(tmp_path)


def test_what_a_page_changes_in_logging_ends_with_it(tmp_path: Path) -> None:
    before = [(logger.level, list(logger.handlers)) for logger in map(logging.getLogger, ("", "twofold"))]
    page = "import logging\n"
    for name in ("", "twofold"):
        page += f"logging.getLogger({name!r}).setLevel(5)\n"
        page += f"logging.getLogger({name!r}).addHandler(logging.NullHandler())\n"
    run_page(f"```python\n{page}```\n", "page", tmp_path)
    assert [(logger.level, list(logger.handlers)) for logger in map(logging.getLogger, ("", "twofold"))] == before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page.read_text(encoding="utf-8"), page) == []


def broken_links(text: str, page: Path) -> list[str]:
    """Links of a page to files or headings that are not there, and addresses of other hosts that cannot be right."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(text)):
        if re.match(r"[a-z]+:", target):
            address = urlsplit(target)
            right = address.scheme == "https" and "." in address.netloc and not re.search(r"[\s<>\"]|localhost", target)
        else:
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            there = text if file == page else file.read_text(encoding="utf-8") if file.is_file() else ""
            right = (file == page or file.exists()) and (not anchor or anchor in _anchors(there))
        broken += [] if right else [target]
    return broken


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "`", FENCED.sub("", text))


def _anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them of headings that are there once."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[x](missing.md)", ["missing.md"]),
        ("[x](filters.md#missing)", ["filters.md#missing"]),
        ("# Here\n[x](#here) [y](#there)", ["#there"]),
        ("```text\n# there\n```\n[y](#there)", ["#there"]),
        ("[x](http://example.org) [y](https://example)", ["http://example.org", "https://example"]),
        ("[x](https://example.org/a#b) [y](filters.md#what-does-a-filter-mean) `[z](missing.md)`", []),
    ],
)
def test_a_broken_link_is_seen(text: str, broken: list[str]) -> None:
    assert broken_links(text, ROOT / "docs" / "page.md") == broken


def test_the_navigation_of_the_site_names_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = made_by("site_hooks", monkeypatch).PAGES
    assert {ROOT / name for name in outside} == set(ROOT.glob("*.md"))
    named = re.findall(r"^ *- (?:.*: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES if page.parent != ROOT]
    assert sorted(named) == sorted([*pages, *outside.values()])


def test_pages_of_the_root_folder_lead_to_pages_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = made_by("site_hooks", monkeypatch)
    for name, page in hooks.PAGES.items():
        text = hooks.inside((ROOT / name).read_text(encoding="utf-8"))
        broken = broken_links(text, ROOT / "docs" / page)
        assert set(broken) <= {*hooks.PAGES.values(), "LICENSE"}, name


def test_the_site_is_built_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed (make site installs it)")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {page: page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")}
    assert len(pages) > len(PAGES) - 1
    loaded = re.compile(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"(https?:[^\"]*)")
    assert {address for text in pages.values() for address in loaded.findall(text)} == set()
    assert [page.name for page, text in pages.items() if "```" in text] == [], "a fence that the site does not know"
    assert [page.name for page, text in pages.items() if re.search(r"<code>[^<]*\\\|", text)] == [], "an escaped bar"


def test_every_file_of_the_contributing_table_exists() -> None:
    table = [
        line for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")
    ]
    names = [name for line in table for name in re.findall(r"`([\w./*-]*/[\w./*-]*|[\w-]+\.(?:py|md|toml|txt))`", line)]
    assert names
    assert [name for name in names if not _exists(name)] == []


def _exists(name: str) -> bool:
    return any(next(place.glob(name.rstrip("/")), None) for place in (ROOT, ROOT / "src" / "twofold"))


def test_the_page_on_filters_has_every_operator_and_no_other() -> None:
    page = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<!\$)\$[a-z]+", page.replace("`$price`", "").replace("$$price", "")))
    assert named == {*OPERATORS, TRUNCATED}


def made_by(module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of docs/, which make the pages that are made from the code."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module(module)


def test_the_pages_that_are_made_from_the_code_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = made_by("generate", monkeypatch).pages()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert not stale, f"{', '.join(stale)}: run `make docs`"
    assert set((ROOT / "docs" / "api").iterdir()) <= pages.keys(), "a page of docs/api/ that is no longer made"


def test_the_reference_describes_every_public_name_once(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = made_by("api_reference", monkeypatch).SUBJECTS
    described = [entry.name for subject in subjects for entry in subject.entries if entry.is_public]
    public = [name for name in twofold.__all__ if name != "__version__"]
    assert sorted(described) == sorted(public), "docs/api_subjects.py lists the names of each page in SUBJECTS"


def test_every_parameter_of_the_public_face_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    page = made_by("api_reference", monkeypatch)
    faces: dict[str, Any] = {name: getattr(twofold, name) for name in twofold.__all__ if name[0].islower()}
    for name in ("Collection", "Hits", "Hit"):
        for half in getattr(twofold, name).__mro__:
            methods = vars(half).items() if half.__module__.startswith("twofold.") else ()
            faces |= {f"{name}.{key}": each for key, each in methods if inspect.isfunction(each) and key[0] != "_"}
    known = {"self", "progress", "options"}
    unexplained = {
        name: missing
        for name, each in faces.items()
        if (missing := [key for key in inspect.signature(each).parameters if key not in known and not says(each, key)])
    }
    assert unexplained == {}
    classes = [entry.thing for subject in page.SUBJECTS for entry in subject.entries if entry.is_public]
    fields = {each.__name__: [field.name for field in dataclasses.fields(each)] for each in classes if is_data(each)}
    assert fields
    assert [
        f"{name}.{field}" for name, its in fields.items() for field in its if not says(getattr(twofold, name), field)
    ] == []


def is_data(thing: Any) -> bool:
    return inspect.isclass(thing) and dataclasses.is_dataclass(thing)


def says(thing: Any, word: str) -> bool:
    return re.search(rf"\b{word}\b", inspect.getdoc(thing) or "") is not None


def test_the_readme_shows_a_runnable_example_within_thirty_lines() -> None:
    first = next(
        block
        for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if block.language in {"python", *SHELL}
    )
    assert first.line <= 30


def test_every_search_of_the_readme_shows_what_it_finds() -> None:
    found = list(blocks((ROOT / "README.md").read_text(encoding="utf-8")))
    runs = {"python", *SHELL}
    asked = [place for place, each in enumerate(found) if each.language in runs and "search" in each.code]
    assert len(asked) >= 4
    assert [found[place].line for place in asked if found[place + 1].language != "text output"] == []
