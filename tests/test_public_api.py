"""The public face: what `import twofold` offers, what it costs, and that all of it is explained."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import twofold

ROOT = Path(__file__).parents[1]
HEAVY = {"faiss", "huggingface_hub", "ir_measures", "numpy", "openvino", "rich", "safetensors", "scipy", "sqlite3"}
HEAVY |= {"tantivy", "tokenizers", "torch", "transformers", "sentence_transformers"}
NAMES = [name for name in twofold.__all__ if name != "__version__"]


def named(name: str) -> Any:
    return getattr(twofold, name)


def loaded_after(code: str) -> set[str]:
    """The heavy libraries in sys.modules of a new Python that has run the code."""
    script = f"{code}\nimport json, sys\nprint()\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_all_is_sorted_and_holds_no_name_twice() -> None:
    assert twofold.__all__ == sorted(set(twofold.__all__))


def test_all_is_exactly_what_exists() -> None:
    assert set(NAMES) == set(twofold._PLACES)
    assert dir(twofold) == twofold.__all__
    everything: dict[str, Any] = {}
    exec("from twofold import *", everything)
    assert set(twofold.__all__) <= everything.keys()


def test_type_checkers_see_the_names_that_are_loaded() -> None:
    imported = [
        node for node in ast.walk(ast.parse(Path(twofold.__file__).read_text())) if isinstance(node, ast.ImportFrom)
    ]
    believed = {
        alias.asname: f"{node.module}:{alias.name}" for node in imported for alias in node.names if alias.asname
    }
    assert believed == twofold._PLACES


def test_a_few_dozen_names_and_not_two_hundred() -> None:
    assert 20 <= len(twofold.__all__) <= 60


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="module 'twofold' has no attribute 'serach'"):
        named("serach")


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_explained(name: str) -> None:
    thing = named(name)
    assert inspect.getdoc(thing), f"{name} has no docstring"
    if inspect.isclass(thing):
        methods = {key: each for key, each in vars(thing).items() if not key.startswith("_")}
        for key, each in methods.items():
            inner = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
            assert not inspect.isfunction(inner) or inspect.getdoc(inner), f"{name}.{key} has no docstring"


@pytest.mark.parametrize("name", [name for name in NAMES if name[0].islower()])
def test_a_public_function_says_what_it_takes_gives_and_raises(name: str) -> None:
    function = named(name)
    explained = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    assert "Raises" in explained
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())
    assert signature.return_annotation is not inspect.Signature.empty
    if "Vectors" in str(signature.return_annotation):
        assert "float32 (" in explained


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded_after("import twofold; twofold.__version__; dir(twofold)") == set()


def test_help_imports_nothing_heavy() -> None:
    asked = "import twofold.cli.main as m\ntry:\n    m.main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_after(asked) == set()


def test_the_version_is_the_one_installed_and_heads_the_changelog() -> None:
    assert twofold.__version__ == version("twofold")
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == twofold.__version__


def test_the_package_is_typed() -> None:
    assert (Path(twofold.__file__).parent / "py.typed").is_file()


def test_python_dash_m_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "twofold", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"twofold {twofold.__version__}"


def test_every_error_that_a_public_docstring_names_can_be_imported() -> None:
    explained = [inspect.getdoc(each) or "" for name in NAMES for each in (named(name), *vars(named(name)).values())]
    errors = {word for text in explained for word in re.findall(r"\b[A-Z]\w*Error\b", text)}
    assert errors
    assert {name for name in errors if not hasattr(twofold, name) and not hasattr(builtins, name)} == set()
