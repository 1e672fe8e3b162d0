"""The architecture, read from the source: floors, third-party dependencies, sizes, names, the disk.

Each rule is a function over a source tree that returns what breaks it, one sentence each. The first half of this file
holds src/twofold to the rules; the second half shows, on small bad trees, that every rule sees what it is there for.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "twofold"

FLOORS = {
    **dict.fromkeys(("__init__", "__main__"), 10),
    "cli": 9,
    "bench": 8,
    "serving": 8,
    "integrations": 8,
    "training": 7,
    "collection": 6,
    "tuning": 5,
    **dict.fromkeys(("rankers", "searching"), 4),
    **dict.fromkeys(("engines", "engines.local", "engines.postgres", "encoders", "stores"), 3),
    **dict.fromkeys(("indexes", "lexical", "models", "passages", "readers", "evaluation", "plots"), 2),
    **dict.fromkeys(
        ("addresses", "description", "drawing", "filter_checks"),
        1,
    ),
    **dict.fromkeys(
        ("block", "checked_json", "contract", "difference", "documents", "encoding", "engine", "errors", "files"), 1
    ),
    **dict.fromkeys(
        (
            "forking",
            "index_report",
            "logs",
            "maxsim",
            "memory",
            "outline",
            "progress",
            "passage_scores",
            "protocols",
            "rankings",
            "reports",
            "scores",
            "token_codes",
        ),
        1,
    ),
    **dict.fromkeys(("facets", "filters", "hits", "judgements", "rows", "space", "strict_json", "tables", "values"), 1),
}
"""Package → floor (docs/architecture.md). A package imports from lower floors only; floor 1 is one package of words."""

DEPENDENCIES = {
    "fastapi": {"serving"},
    "httpx": {"serving"},
    "mcp": {"serving"},
    "mcp_types": {"serving"},
    "pydantic": {"serving"},
    "starlette": {"serving"},
    "uvicorn": {"serving"},
    "jinja2": {"models"},
    "openvino": {"models"},
    "tokenizers": {"models"},
    "safetensors": {"models"},
    "huggingface_hub": {"models"},
    "faiss": {"indexes", "stores"},
    "tantivy": {"lexical"},
    "sqlite3": {"engines.local", "collection"},
    "filelock": {"engines.local"},
    "rich": {"cli"},
    "psycopg": {"engines.postgres"},
    "psutil": {"memory"},
    "ir_measures": {"evaluation"},
    "scipy": {"evaluation", "models"},
    "matplotlib": {"plots"},
    "pandas": {"hits", "evaluation"},
    "pyarrow": {"hits", "readers", "rows", "collection", "stores"},
    "chromadb": {"stores"},
    "lancedb": {"stores"},
    "pypdf": {"readers"},
    "python_calamine": {"readers"},
    "selectolax": {"readers"},
    "yaml": {"readers"},
    "haystack": {"integrations"},
    "langchain_core": {"integrations"},
    "llama_index": {"integrations"},
    "mteb": {"integrations"},
    "torch": {
        "training",
        "models.devices",
        "models.torch_graph",
        "models.torch_operations",
        "models.torch_runtime",
        "models.torch_tensors",
    },
    "sentence_transformers": {"training"},
    "transformers": {"training"},
    "datasets": {"training"},
    "accelerate": {"training"},
    "peft": {"training"},
}
"""Library → the packages, or single files of one, that may import it. numpy is everybody's; bench/ may import any peer
inside a function.
"""

WRITERS = {
    "engines.local": {"*"},  # the one package that owns a collection's folder
    "indexes": {"faiss.write_index"},  # into the folder that the engine hands out
    "tuning": {"np.savez"},  # into bytes that the engine keeps
    "files": {"*"},  # write_aside, through which every other file goes
    "readers": {"gzip.GzipFile", "lzma.LZMAFile"},  # they pack into the file that write_aside gives
    "training": {"os.makedirs", "shutil.rmtree"},  # the folder of checkpoints, which the trainer fills
    # collections and messages of servers that live as long as a measurement, what recipes keep, and the bare write that
    # ours is held against
    "bench": {"tempfile.TemporaryDirectory", "tempfile.TemporaryFile", "os.makedirs", "os.open", "os.pwrite"},
}
"""Package → the calls that change the disk which it may make; whoever is not here makes none."""

OPENS_ENGINES = {"collection.opening", "bench.storing"}
"""Who may name an engine: where a collection is opened, and where it is counted what one does to the disk."""
BANNED_NAMES = {"utils", "util", "base", "common", "core", "helpers", "helper", "types", "manager", "misc"}
BEFORE_ITS_MODULES = {"models"}
"""Packages whose `__init__.py` does what has to be done before one of their modules imports its library."""
STEPS = 9
"""Statements of a method of Collection, docstring and definition among them."""
LINES_A_FILE, LINES_A_FUNCTION, PARAMETERS, PARAMETERS_BY_NAME = 400, 50, 6, 8
PARAMETERS_OF_FACES = {"collection.searches": 18, "searching.searcher": 15, "evaluation.evaluating": 9}
PARAMETERS_OF_FACES |= {"encoders.remote": 9, "readers.reading": 11}
"""What people ask of a collection by name may be more: a search with all of its options is still one question."""

OS_WRITES = {"chmod", "fdopen", "fsync", "ftruncate", "link", "makedirs", "mkdir", "remove", "removedirs", "rename"}
OS_WRITES |= {"renames", "replace", "rmdir", "symlink", "truncate", "unlink", "write", "pwrite"}
METHOD_WRITES = {"write_text", "write_bytes", "mkdir", "touch", "unlink", "rename", "rmdir", "symlink_to", "tofile"}
METHOD_WRITES |= {"hardlink_to", "open_memmap", "rmtree", "copyfile", "copytree", "save_file", "write_index"}
WRITING_MODULES = {"shutil": {"disk_usage", "get_terminal_size", "which"}, "tempfile": {"gettempdir"}}
NUMPY_WRITES = {"save", "savez", "savez_compressed", "savetxt"}
OPENERS = {"open", "fdopen", "memmap", "GzipFile", "LZMAFile", "BZ2File", "open_memmap"}


@dataclass(frozen=True)
class Import:
    """One imported module, where, and how."""

    module: str
    line: int
    for_types: bool
    in_function: bool


def package_of(name: str) -> str:
    """The package of a dotted name below the package: its first part; each engine is a package of its own."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == "engines" else 1])


@dataclass(frozen=True)
class Source:
    """One file of the package: its dotted name below the package, and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return package_of(self.name)

    def at(self, line: int) -> str:
        return f"{self.name.replace('.', '/')}:{line}"


def sources(package: Path) -> list[Source]:
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts if parts[-1] != "__init__" or len(parts) == 1 else parts[:-1])
        text = path.read_text(encoding="utf-8")
        found.append(Source(name, path, text, ast.parse(text)))
    return found


def imports(source: Source, names: set[str]) -> Iterator[Import]:
    """Every import of a file, also inside functions, under TYPE_CHECKING and through import_module("…")."""

    def visit(node: ast.AST, for_types: bool, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for_types = True
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for module in _modules(node, source, names):
            yield Import(module, getattr(node, "lineno", 0), for_types, in_function)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, for_types, in_function)

    yield from visit(source.tree, False, False)


def _modules(node: ast.AST, source: Source, names: set[str]) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(level=0, module=str(module)):
            inside = module.partition(".")[2]
            for alias in node.names:
                submodule = f"{inside}.{alias.name}".lstrip(".")
                is_submodule = module.split(".")[0] == "twofold" and submodule in names
                yield f"twofold.{submodule}" if is_submodule else module
        case ast.ImportFrom():
            yield f"twofold.{source.name} by a relative import"
        case ast.Call(args=[ast.Constant(value=str(module)), *_]) if _called(node).endswith(
            ("import_module", "__import__")
        ):
            yield module


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def floors_broken(package: Path) -> list[str]:
    """Imports that go up, sideways, to the package's root, or from a package without a floor."""
    files, broken = sources(package), []
    names = {source.name for source in files}
    for source in files:
        if source.package not in FLOORS:
            broken.append(f"{source.name}: the package {source.package!r} stands on no floor; give it one in FLOORS")
            continue
        for each in imports(source, names):
            root, _, inside = each.module.partition(".")
            if root != "twofold":
                continue
            imported, here = package_of(inside.split(" ")[0]), FLOORS[source.package]
            if "relative" in each.module:
                broken.append(f"{source.at(each.line)} imports relatively")
            elif not inside:
                broken.append(f"{source.at(each.line)} imports the package's root")
            elif (
                imported != source.package
                and FLOORS.get(imported, 99) >= here
                and not FLOORS.get(imported) == here == 1
            ):
                broken.append(f"{source.at(each.line)}: {source.package} (floor {here}) imports {imported}")
    return broken


def engines_broken(package: Path) -> list[str]:
    """Imports of an engine outside its package, but where a collection is opened."""
    files = sources(package)
    names = {source.name for source in files}
    return [
        f"{source.at(each.line)} imports {each.module.removeprefix('twofold.')}; use the protocol, twofold.engine"
        for source in files
        if not source.package.startswith("engines") and source.name not in OPENS_ENGINES
        for each in imports(source, names)
        if each.module.startswith("twofold.engines")
    ]


def dependencies_broken(package: Path) -> list[str]:
    """Libraries imported outside their package, or that no package may import."""
    broken = []
    for source in sources(package):
        for each in imports(source, set()):
            library = each.module.split(".")[0]
            standard = library in sys.stdlib_module_names and library not in DEPENDENCIES
            guest = not DEPENDENCIES.get(library, set()).isdisjoint({source.package, source.name})
            if standard or library in {"twofold", "numpy"} or guest:
                continue
            if source.package == "bench" and each.in_function:
                continue
            broken.append(f"{source.at(each.line)}: {library} is no dependency of {source.package}")
    return broken


def cycles(package: Path) -> list[str]:
    """Modules that import themselves over others, also where only the type checker imports them."""
    files = sources(package)
    names = {source.name for source in files}
    graph = {
        source.name: {each.module.removeprefix("twofold.") for each in imports(source, names)} & names
        for source in files
    }
    while leaves := [name for name, targets in graph.items() if not targets]:
        graph = {name: targets - set(leaves) for name, targets in graph.items() if targets}
    while graph and (tips := graph.keys() - {target for targets in graph.values() for target in targets}):
        graph = {name: targets for name, targets in graph.items() if name not in tips}
    return [f"{name} imports itself by way of {', '.join(sorted(targets))}" for name, targets in graph.items()]


def sizes_broken(package: Path) -> list[str]:
    """Files, functions and parameter lists that are too long."""
    broken = []
    for source in sources(package):
        if (lines := source.text.count("\n")) > LINES_A_FILE:
            broken.append(f"{source.name} has {lines} lines, at most {LINES_A_FILE}")
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LINES_A_FUNCTION:
                broken.append(f"{source.at(node.lineno)}: {node.name} has {length} lines, at most {LINES_A_FUNCTION}")
            placed = {each.arg for each in (*node.args.posonlyargs, *node.args.args)} - {"self", "cls"}
            for taken, most in (
                (len(placed), PARAMETERS),
                (len(placed) + len(node.args.kwonlyargs), PARAMETERS_OF_FACES.get(source.name, PARAMETERS_BY_NAME)),
            ):
                if taken > most:
                    broken.append(f"{source.at(node.lineno)}: {node.name} takes {taken}, at most {most}")
    return broken


def names_broken(package: Path) -> list[str]:
    """Files and folders whose name says nothing, and packages whose `__init__.py` does something."""
    broken = []
    for source in sources(package):
        if named := BANNED_NAMES & set(source.name.split(".")):
            broken.append(f"{source.name}: {named.pop()!r} does not say what is inside")
        is_package = source.path.name == "__init__.py" and source.path.parent != package
        alone = len(source.tree.body) == 1 or source.package in BEFORE_ITS_MODULES
        if is_package and not (alone and ast.get_docstring(source.tree)):
            broken.append(f"{source.name}/__init__.py holds more or less than a docstring")
    return broken


def writes_broken(package: Path) -> list[str]:
    """Calls that change the disk, made by a package that may not."""
    broken = []
    for source in sources(package):
        allowed = WRITERS.get(source.package, set())
        calls = [] if "*" in allowed else [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
        broken += [
            f"{source.at(call.lineno)}: {name} changes the disk; use files.write_aside or an engine"
            for call in calls
            if (name := _write(call)) and name not in allowed
        ]
    return broken


def _write(call: ast.Call) -> str | None:
    owner, _, name = _called(call).rpartition(".")
    if name in OPENERS and _opens_for_writing(call):
        return _called(call)
    if _called(call) == "os.open":
        flags = ast.unparse(call)
        return "os.open" if re.search("O_(WRONLY|RDWR|CREAT|APPEND|TRUNC)", flags) and "devnull" not in flags else None
    if owner == "os":
        return _called(call) if name in OS_WRITES - OPENERS else None
    if owner in WRITING_MODULES:
        return _called(call) if name not in WRITING_MODULES[owner] else None
    if owner in {"np", "numpy"}:
        return _called(call) if name in NUMPY_WRITES else None
    moves = name == "replace" and len(call.args) == 1 and not call.keywords  # Path.replace; text takes two arguments
    return _called(call) if owner and (name in METHOD_WRITES - OPENERS or moves) else None


def _opens_for_writing(call: ast.Call) -> bool:
    given = [*call.args, *(each.value for each in call.keywords if each.arg == "mode")]
    modes = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes if mode)


def talk_broken(package: Path) -> list[str]:
    """print outside the command line, and assert anywhere."""
    broken = []
    for source in sources(package):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Assert):
                broken.append(f"{source.at(node.lineno)} asserts; raise an error of errors.py")
            printers = {"print", "sys.stdout.write", "sys.stderr.write"}
            if isinstance(node, ast.Call) and _called(node) in printers and source.package != "cli":
                broken.append(f"{source.at(node.lineno)} prints; only cli/ does")
    return broken


def registries_broken(package: Path) -> list[str]:
    """A function or class that more than one table of words lists: each kind has one registry."""
    listed: dict[str, list[str]] = {}
    for source in sources(package):
        for node in source.tree.body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if not isinstance(value, ast.Dict) or not all(_is_word(key) for key in value.keys):
                continue
            for entry in {ast.unparse(each) for each in value.values if isinstance(each, ast.Name | ast.Attribute)}:
                listed.setdefault(entry.split(".")[-1], []).append(source.at(node.lineno))
    return [f"{name} is listed in {' and '.join(places)}" for name, places in listed.items() if len(places) > 1]


def _is_word(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def delegation_broken(package: Path) -> list[str]:
    """`Collection` hands on: no method of it computes, loops, or does more than a few steps."""
    return [
        f"{source.at(method.lineno)}: Collection.{method.name} does more than hand on"
        for source in sources(package)
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Collection"
        for method in node.body
        if isinstance(method, ast.FunctionDef) and not _hands_on(method)
    ]


def _hands_on(method: ast.FunctionDef) -> bool:
    work = (ast.For, ast.While, ast.BinOp, ast.AugAssign, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
    steps = [node for node in ast.walk(method) if isinstance(node, ast.stmt)]
    annotations = {id(part) for each in (method.args, method.returns) if each for part in ast.walk(each)}
    return len(steps) <= STEPS and not any(
        isinstance(node, work) and id(node) not in annotations for node in ast.walk(method)
    )


RULES = [
    floors_broken,
    engines_broken,
    dependencies_broken,
    cycles,
    sizes_broken,
    names_broken,
    writes_broken,
    talk_broken,
]
RULES += [registries_broken, delegation_broken]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert not (broken := rule(PACKAGE)), "\n" + "\n".join(broken)


BAD_TREES = [
    (floors_broken, {"searching/a.py": "from twofold.collection.b import c"}, "imports collection"),
    (floors_broken, {"engines/local/a.py": "def f():\n    from twofold.encoders.b import c"}, "imports encoders"),
    (floors_broken, {"scores.py": "if TYPE_CHECKING:\n    from twofold.models.b import c"}, "imports models"),
    (floors_broken, {"encoders/a.py": "import_module('twofold.cli.main')"}, "imports cli"),
    (floors_broken, {"cli/a.py": "import twofold"}, "package's root"),
    (floors_broken, {"cli/a.py": "from twofold import create"}, "package's root"),
    (floors_broken, {"cli/a.py": "from .b import c"}, "relatively"),
    (floors_broken, {"attic/a.py": ""}, "no floor"),
    (
        engines_broken,
        {"bench/a.py": "def f():\n    from twofold.engines.local.engine import Store"},
        "use the protocol",
    ),
    (engines_broken, {"cli/a.py": "if TYPE_CHECKING:\n    from twofold.engines.local.a import B"}, "use the protocol"),
    (dependencies_broken, {"searching/a.py": "def f():\n    import faiss"}, "faiss is no dependency"),
    (dependencies_broken, {"searching/a.py": "import sqlite3"}, "sqlite3 is no dependency"),
    (dependencies_broken, {"bench/a.py": "import torch"}, "torch is no dependency"),
    (dependencies_broken, {"models/runtime.py": "def f():\n    import torch"}, "torch is no dependency"),
    (dependencies_broken, {"readers/a.py": "from requests import get"}, "requests is no dependency"),
    (
        cycles,
        {"a.py": "import twofold.b", "b.py": "def f():\n    from twofold.c import d", "c.py": "import twofold.a"},
        "c",
    ),
    (cycles, {"a.py": "if TYPE_CHECKING:\n    import twofold.b", "b.py": "import twofold.a"}, "imports itself"),
    (cycles, {"cli/a.py": "from twofold.cli import b", "cli/b.py": "from twofold.cli.a import c"}, "cli.b"),
    (sizes_broken, {"a.py": "\n" * 401}, "401 lines"),
    (sizes_broken, {"a.py": "def f():\n" + "    pass\n" * 50}, "51 lines"),
    (sizes_broken, {"a.py": "def f(a, b, c, d, e, f, g): ..."}, "takes 7, at most 6"),
    (sizes_broken, {"a.py": "def f(a, b, c, d, *, e, f, g, h, i): ..."}, "takes 9, at most 8"),
    (names_broken, {"cli/helpers.py": ""}, "helpers"),
    (names_broken, {"core/a.py": ""}, "core"),
    (names_broken, {"cli/__init__.py": '"""Face."""\nfrom a import b'}, "more or less than a docstring"),
    (writes_broken, {"cli/a.py": "open(path, 'w')"}, "open"),
    (writes_broken, {"cli/a.py": "gzip.open(path, mode='at')"}, "gzip.open"),
    (writes_broken, {"cli/a.py": "Path(a).replace(b)"}, "replace"),
    (writes_broken, {"cli/a.py": "path.parent.mkdir(parents=True)"}, "mkdir"),
    (writes_broken, {"cli/a.py": "shutil.rmtree(a)"}, "shutil.rmtree"),
    (writes_broken, {"cli/a.py": "np.save(a, b)"}, "np.save"),
    (writes_broken, {"indexes/a.py": "np.memmap(a, dtype='f2', mode='r+')"}, "np.memmap"),
    (writes_broken, {"bench/a.py": "os.unlink(a)"}, "os.unlink"),
    (writes_broken, {"cli/a.py": "os.open(a, os.O_CREAT | os.O_WRONLY)"}, "os.open"),
    (talk_broken, {"engines/local/a.py": "print(1)"}, "prints"),
    (talk_broken, {"cli/a.py": "assert 1"}, "asserts"),
    (delegation_broken, {"a.py": "class Collection:\n def f(self):\n  for a in b: c(a)"}, "Collection.f does more"),
    (delegation_broken, {"a.py": "class Collection:\n def f(self):\n  return g(1 + 2)"}, "Collection.f does more"),
    (
        registries_broken,
        {"a.py": "KINDS = {'m': mean}", "b.py": "TABLE: dict[str, F] = {'n': a.mean}"},
        "mean is listed",
    ),
]


@pytest.mark.parametrize(("rule", "files", "said"), BAD_TREES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_sees_what_breaks_it(
    rule: Callable[[Path], list[str]], files: dict[str, str], said: str, tmp_path: Path
) -> None:
    assert any(said in sentence for sentence in rule(_tree(tmp_path, files)))


GOOD = {
    "collection/opening.py": "from twofold.engines.local.a import B",
    "scores.py": "from twofold.errors import E\nimport numpy as np\nWORDS = {'a': first, 'b': second}",
    "engines/local/__init__.py": '"""The disk."""',
    "engines/local/a.py": "import sqlite3, os\nfrom twofold.files import write_aside\nos.replace(a, b)",
    "models/torch_graph.py": "import torch",
    "bench/a.py": "def f():\n    import torch\n    with tempfile.TemporaryDirectory() as folder: ...",
    "cli/c.py": "from twofold import scores",
    "cli/a.py": "from twofold.cli import b\nprint(text.replace('a', 'b'))\nopen(path, 'rb')\nreplace(a, b=1)",
    "cli/b.py": "def f(self, a, b, c, d, e, f, *, g, h): ...",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_leaves_a_good_tree_alone(rule: Callable[[Path], list[str]], tmp_path: Path) -> None:
    assert rule(_tree(tmp_path, GOOD)) == []


def test_every_floor_and_every_dependency_names_a_package_that_exists() -> None:
    packages = {source.package for source in sources(PACKAGE)}
    files = {source.name for source in sources(PACKAGE)}
    assert FLOORS.keys() - packages == set()
    assert set().union(*DEPENDENCIES.values(), WRITERS) - packages - files == set()


def _tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
