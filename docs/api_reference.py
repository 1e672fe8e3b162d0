"""The pages of docs/api/, made from signatures and docstrings: `make docs`. tests/test_docs.py compares them.

A docstring is prose in paragraphs. Where a sentence begins with the names of parameters or fields and a colon
("k, offset: …"), it becomes an item of a list; "Raises …" becomes a line of its own. Names that have an entry here
become links.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, get_overloads

from api_subjects import ALIASES, ERRORS, SUBJECTS, Entry, Subject

import twofold

FOLDER = Path(__file__).parent / "api"
HEAD = "<!-- Made by `make docs` from signatures and docstrings; change the code, not this page. -->"
BAR = "\\|"
WIDTH = 100
"""Characters of a signature that stays on one line."""
SPECIAL = {"__getitem__", "__iter__", "__call__"}
"""Special methods that are shown, if they have a docstring."""


class Reference:
    """All pages, with links between their entries."""

    def __init__(self, subjects: Iterable[Subject] = SUBJECTS) -> None:
        self.subjects = tuple(subjects)

    def pages(self) -> dict[str, str]:
        """File name → Markdown."""
        return {"index.md": self._index(), **{f"{each.file}.md": self._page(each) for each in self.subjects}}

    @cached_property
    def _places(self) -> dict[str, str]:
        """A name as docstrings write it → page and anchor; of equal names the first."""
        places: dict[str, str] = {}
        for subject in self.subjects:
            for entry in subject.entries:
                places.setdefault(entry.name, f"{subject.file}.md#{_anchor(entry.name)}")
        for subject in self.subjects:
            for entry in subject.entries:
                for name in _members(entry.thing) if inspect.isclass(entry.thing) else ():
                    place = f"{subject.file}.md#{_anchor(f'{entry.name}.{name}')}"
                    places.setdefault(f"{entry.name}.{name}", place)
                    if entry.name == "Collection":
                        places.setdefault(name, place)
        return places

    def _index(self) -> str:
        lines = ["# Python reference", HEAD, "Everything that `import twofold` offers, by subject."]
        for subject in self.subjects:
            named = [self._link(entry.name, entry.name, "") for entry in subject.entries if entry.is_public]
            lines.append(f"- [{subject.title}]({subject.file}.md): {', '.join(named)}")
        table = ["| type | written out | meaning |", "|---|---|---|", *map(self._alias, ALIASES)]
        parts = [*lines[:3], "\n".join(lines[3:]), "## Types in signatures", "\n".join(table)]
        return "\n\n".join(parts) + "\n"

    def _alias(self, place: str) -> str:
        module, _, name = place.partition(":")
        body = ast.parse(inspect.getsource(import_module(module))).body
        written = next(each for each in body if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name)
        said = self._linked(_texts_below(body).get(name, ""), "", ())
        cells = (f"`{name}`", f"`{ast.unparse(written.value)}`", said)
        return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"

    def _page(self, subject: Subject) -> str:
        parts = [f"# {subject.title}", HEAD, subject.opening]
        if subject.file == "errors":
            parts.append(f"```text\n{_tree()}\n```")
        for entry in subject.entries:
            parts += self._entry(entry, subject.file)
        return "\n\n".join(parts) + "\n"

    def _entry(self, entry: Entry, page: str) -> Iterator[str]:
        thing, name = entry.thing, entry.name
        yield f"## `{name}`"
        if not inspect.isclass(thing):
            yield _fenced([_signature(f"twofold.{name}", thing)])
            yield from self._said(thing, inspect.signature(thing).parameters, page)
            return
        if entry.title:
            yield "Each call searches the latest commit. Threads may share one collection."
        else:
            yield _fenced(_class_lines(entry))
            yield from self._said(thing, _names(thing), page)
            yield from _field_docs(thing)
        for member, value in _members(thing).items():
            yield f"### `{name}.{member}`"
            yield _fenced(_member_lines(member, value))
            yield from self._said(value, _parameters(value), page)

    def _said(self, thing: Any, names: Iterable[str], page: str) -> Iterator[str]:
        """The docstring as Markdown; names: of parameters or fields."""
        names = list(names)
        for paragraph in (inspect.getdoc(thing) or "").split("\n\n"):
            if paragraph.startswith("    "):
                yield f"```text\n{textwrap.dedent(paragraph)}\n```"
                continue
            prose, items, raises = _divided(" ".join(paragraph.split()), names)
            if prose:
                yield self._linked(prose, page, names)
            if items:
                yield "\n".join(f"- {_code(heads)}: {self._linked(text, page, names)}" for heads, text in items)
            if raises:
                yield self._linked(raises, page, names)

    def _linked(self, text: str, page: str, own: Iterable[str]) -> str:
        """The text with links to entries and pages; own: names that mean a parameter or field here."""

        def link(match: re.Match[str]) -> str:
            file, quoted, module, word = match.groups()
            if file:
                return f"[{Path(file).stem}](../{file})"
            if module:
                return f"`{module}`"
            if quoted:
                return f"`{quoted}`" if quoted in own else self._link(quoted, quoted.removeprefix("twofold."), page)
            is_class = (
                word in self._places and word[0].isupper() and (word in ERRORS or sum(map(str.isupper, word)) > 1)
            )
            return self._link(word, word, page) if is_class else word

        found = re.sub(r"docs/([\w-]+\.md)|`([^`]+)`|((?:\w+/)*\w+\.py)\b|\b([A-Za-z_]+)\b", link, text)
        return found.replace("<", "&lt;")

    def _link(self, shown: str, name: str, page: str) -> str:
        target = self._places.get(name)
        if target is None:
            return f"`{shown}`"
        file, _, anchor = target.partition("#")
        return f"[`{shown}`]({'' if file == f'{page}.md' else file}#{anchor})"


def _divided(text: str, names: list[str]) -> tuple[str, list[tuple[str, str]], str]:
    """A paragraph's prose, its items (names, text), and what it raises."""
    text, separator, raised = text.partition("Raises ")
    raises = separator + raised
    if not names:
        return text.strip(), [], raises
    one = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    head = re.compile(rf"(?:^|(?<=[.:;] ))((?:{one})(?:,? (?:and )?(?:{one}))*): ")
    prose, *rest = head.split(text)
    return prose.strip(), [(heads, _ended(said)) for heads, said in zip(rest[::2], rest[1::2], strict=True)], raises


def _ended(sentence: str) -> str:
    return sentence.strip().rstrip(";.") + "."


def _code(heads: str) -> str:
    return ", ".join(f"`{name}`" for name in re.split(r",? (?:and )?", heads))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _fenced(lines: Iterable[str]) -> str:
    return "\n".join(["```py", *lines, "```"])


def _members(thing: type) -> dict[str, Any]:
    """Public methods and properties, and special methods that are explained, in the order of the source."""
    halves = [each for each in thing.__mro__ if each.__module__.startswith("twofold.")]
    if thing is twofold.Collection:  # the other half has a page of its own
        halves = [each for each in halves if each.__name__ != "Searching"]
    members: dict[str, Any] = {}
    for half in halves:
        for name, value in vars(half).items():
            function = _function(value)
            is_named = not name.startswith("_") or name in SPECIAL
            if is_named and inspect.isfunction(function) and function.__doc__ and not _is_internal(function):
                members.setdefault(name, value)
    return members


def _is_internal(function: Any) -> bool:
    """Whether it takes or gives an engine's snapshot, for which there is no entry."""
    return any("Snapshot" in str(each).replace("SnapshotSearcher", "") for each in function.__annotations__.values())


def _function(value: Any) -> Any:
    return value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def _class_lines(entry: Entry) -> Iterator[str]:
    thing = entry.thing
    bases = [each.__name__ for each in thing.__bases__ if each.__name__.endswith("Error") or each is list]
    module = "twofold" if entry.is_public else thing.__module__
    head = f"class {module}.{thing.__name__}" + (f"({', '.join(bases)})" if bases else "")
    if dataclasses.is_dataclass(thing):
        yield f"{head}:"
        for field in dataclasses.fields(thing):
            yield f"    {field.name}: {field.type}{_default(field)}"
    elif _is_made_by_users(thing):
        yield "class " + _signature(f"{module}.{thing.__name__}", thing)
    else:
        yield head


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f" = {_value(field.default)}"
    factory = field.default_factory
    return f" = {_value(factory())}" if factory is not dataclasses.MISSING else ""


def _is_made_by_users(thing: type) -> bool:
    """Whether people call its constructor."""
    is_made_by_calls = thing.__name__ in ("Collection", "SnapshotSearcher") or issubclass(thing, (list, Exception))
    return "__init__" in vars(thing) and not is_made_by_calls and Protocol not in thing.__bases__


def _names(thing: type) -> list[str]:
    """What a class's docstring may explain: its fields, or the parameters of its constructor."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    return list(inspect.signature(thing).parameters) if _is_made_by_users(thing) else []


def _parameters(value: Any) -> list[str]:
    return list(inspect.signature(_function(value)).parameters)


def _member_lines(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, property):
        yield f"{name}: {inspect.signature(value.fget).return_annotation}"
        return
    kind = "classmethod " if isinstance(value, classmethod) else ""
    function = _function(value)
    for each in get_overloads(function) or [function]:
        yield f"{kind}{'async ' if inspect.iscoroutinefunction(each) else ''}{_signature(name, each)}"


def _signature(name: str, function: Any) -> str:
    """As it would be written, on one line if it is short enough; without self."""
    signature = inspect.signature(function)
    written, starred = [], False
    parameters = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
    for place, each in enumerate(parameters):
        if each.kind is each.KEYWORD_ONLY and not starred:
            written.append("*")
            starred = True
        stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = "" if each.default is each.empty else f" = {_value(each.default)}"
        written.append(f"{stars}{each.name}: {each.annotation}{default}")
        following = parameters[place + 1 : place + 2]
        if each.kind is each.POSITIONAL_ONLY and not (following and following[0].kind is each.POSITIONAL_ONLY):
            written.append("/")
    returned = signature.return_annotation
    result = "" if inspect.isclass(function) or returned is signature.empty else f" -> {returned}"
    line = f"{name}({', '.join(written)}){result}"
    return line if len(line) <= WIDTH else "\n".join([f"{name}(", *(f"    {each}," for each in written), f"){result}"])


def _value(default: Any) -> str:
    """A default as it is written; a function by its name, one without a name left out."""
    if not inspect.isfunction(default):
        return repr(default).replace("'", '"')
    return "…" if default.__name__ == "<lambda>" else default.__name__


def _texts_below(body: list[ast.stmt]) -> dict[str, str]:
    """name → the string that follows its assignment."""
    return {
        ast.unparse(named.target if isinstance(named, ast.AnnAssign) else named.targets[0]): " ".join(
            ast.literal_eval(text.value).split()
        )
        for named, text in pairwise(body)
        if isinstance(named, ast.Assign | ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _field_docs(thing: type) -> Iterator[str]:
    """The strings that follow the fields of a dataclass in its source, as a list."""
    if dataclasses.is_dataclass(thing):
        (source,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
        if said := _texts_below(source.body if isinstance(source, ast.ClassDef) else []):
            yield "\n".join(f"- `{name}`: {text}" for name, text in said.items())


def _tree() -> str:
    lines = (inspect.getdoc(import_module("twofold.errors")) or "").splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines if line.startswith("    "))
