"""The documentation of Python's standard library as documents, read from the source files on this machine.

Docstrings of public modules, classes, functions and methods are found with `ast`; nothing is imported or run.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twofold.documents import Document
from twofold.errors import InputError
from twofold.reports import ReadReport
from twofold.values import Json

LEFT_OUT = frozenset({"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "turtledemo"})
"""Folders that hold no documentation for users: tests, an editor, a retired library, other people's packages."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_wide_space = re.compile(r"\s+")


def read_docstrings(root: Path | None = None, *, report: ReadReport | None = None) -> Iterator[Document]:
    """A document for each docstring of a public module, class, function or method, module by module.

    root: a folder of Python source files; the standard library of the running Python where it is None. id and title:
    the qualified name (`json.dumps`). text: the docstring, without its indentation. metadata: module, kind
    ("module", "class", "function", "method"), line, and the signature of functions and methods. Where a name is
    defined twice, the first one that has a docstring counts. A file that cannot be parsed is counted as skipped.
    Raises InputError where the folder holds no docstring.
    """
    folder, report = standard_library() if root is None else root, ReadReport() if report is None else report
    found = False
    for path in _source_files(folder):
        module = _module_name(path.relative_to(folder))
        tree = _parsed(path, report)
        for document in _of_module(tree, module) if tree is not None else ():
            found = True
            report.read += 1
            yield document
    if not found:
        raise InputError("no docstrings in the Python files of this folder", path=folder)


def fingerprint(root: Path | None = None) -> str:
    """A digest that changes whenever `read_docstrings` may return something else: Python, files, sizes, times."""
    folder = standard_library() if root is None else root
    digest = hashlib.sha256(f"{sys.version}\n{folder}\n".encode())
    for path in _source_files(folder):
        state = path.stat()
        digest.update(f"{path.relative_to(folder).as_posix()}\t{state.st_size}\t{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def standard_library() -> Path:
    """The folder of the running Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a definition stands: the name before its own, its module, and whether that is a class."""

    prefix: str
    module: str
    in_class: bool = False


def _source_files(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir(), key=lambda path: (path.stem, path.suffix))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=folder) from None
    for path in entries:
        if path.is_dir() and (path / "__init__.py").is_file():
            if _public(path.name) and path.name not in LEFT_OUT:
                yield path / "__init__.py"
                yield from _source_files(path)
        elif path.suffix == ".py" and _public(path.stem) and path.stem not in LEFT_OUT:
            yield path


def _module_name(relative: Path) -> str:
    return ".".join(part for part in relative.with_suffix("").parts if part != "__init__")


def _public(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")


def _parsed(path: Path, report: ReadReport) -> ast.Module | None:
    try:
        with tokenize.open(path) as file:
            source = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # An invalid escape in somebody's source is none of the reader's business.
            return ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        report.skip(f"{path}: {error}")
        return None


def _of_module(tree: ast.Module, module: str) -> Iterator[Document]:
    text = _docstring(tree)
    if text:
        yield Document(module, text, module, {"module": module, "kind": "module", "line": 1})
    seen: set[str] = set()
    yield from _of_body(tree.body, _Place(module, module), seen)


def _of_body(body: list[ast.stmt], place: _Place, seen: set[str]) -> Iterator[Document]:
    for statement in body:
        if isinstance(statement, Definition):
            if _public(statement.name):
                yield from _of_definition(statement, place, seen)
        else:
            # `if sys.platform …` and `try: import …` hold definitions that are as public as others.
            for block in ("body", "handlers", "orelse", "finalbody"):
                inner = getattr(statement, block, None)
                if isinstance(inner, list):
                    yield from _of_body(inner, place, seen)


def _of_definition(node: Definition, place: _Place, seen: set[str]) -> Iterator[Document]:
    name = f"{place.prefix}.{node.name}"
    is_class = isinstance(node, ast.ClassDef)
    text = _docstring(node)
    if text and name not in seen:
        seen.add(name)
        kind = "class" if is_class else "method" if place.in_class else "function"
        metadata: dict[str, Json] = {"module": place.module, "kind": kind, "line": node.lineno}
        if not isinstance(node, ast.ClassDef):
            # Beside the title, not in it: a dozen parameters would drown what the docstring says.
            metadata["signature"] = f"{node.name}({_wide_space.sub(' ', ast.unparse(node.args))})"
        yield Document(name, text, name, metadata)
    if is_class:
        yield from _of_body(node.body, _Place(name, place.module, in_class=True), seen)


def _docstring(node: ast.Module | Definition) -> str:
    text = ast.get_docstring(node, clean=False) or ""
    # A docstring may hold an escaped surrogate; no text file could.
    return inspect.cleandoc(text).strip().encode("utf-8", "replace").decode()
