from __future__ import annotations

import itertools
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.readers.docstrings import fingerprint, read_docstrings
from twofold.reports import ReadReport

SOURCE = '''"""About the module.

    Indented like this.
"""
import os
raise SystemExit("imported")

if os.name == "nt":
    def here(a, *, b=[1,
                      2], **rest):
        """On one system."""
else:
    def here():
        """On the others."""

def bare(): pass
def _hidden():
    """Private."""

class Box(dict):
    """A box."""
    async def open(self, key: str) -> None:
        """Opens \\udc80 it."""
        def inner():
            """Inside a function."""
    def __len__(self):
        """Dunder."""
    class Lid:
        def shut(self):
            """Shuts."""

class _Secret:
    def method(self):
        """Of a private class."""
'''


@pytest.fixture
def library(tmp_path: Path) -> Path:
    files = {
        "alpha.py": SOURCE,
        "_private.py": '"""No."""',
        "pack/__init__.py": '"""The package."""',
        "pack/sub.py": "def f():\n    '''F.'''",
        "pack/tests/__init__.py": '"""No."""',
        "pack/__main__.py": '"""No."""',
        "test/__init__.py": '"""No."""',
        "idlelib/__init__.py": '"""No."""',
        "lib2to3/__init__.py": '"""No."""',
        "site-packages/other.py": '"""No."""',
        "loose/no_package.py": '"""No."""',
        "notes.txt": "no",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_public_docstrings_are_found_by_reading_and_nothing_is_run(library: Path) -> None:
    documents = {d.id: d for d in read_docstrings(library)}
    assert list(documents) == [
        "alpha", "alpha.here", "alpha.Box", "alpha.Box.open", "alpha.Box.Lid.shut", "pack", "pack.sub.f",
    ]  # fmt: skip
    assert documents["alpha"].text == "About the module.\n\nIndented like this."
    assert documents["alpha.Box.open"].text == "Opens ? it."
    assert documents["alpha.here"].text == "On one system."
    assert documents["alpha.here"].title == "alpha.here"
    assert {d.id: d.metadata["kind"] for d in documents.values()} == {
        "alpha": "module", "alpha.here": "function", "alpha.Box": "class", "alpha.Box.open": "method",
        "alpha.Box.Lid.shut": "method", "pack": "module", "pack.sub.f": "function",
    }  # fmt: skip
    assert documents["alpha.here"].metadata == {
        "module": "alpha", "kind": "function", "line": 9, "signature": "here(a, *, b=[1, 2], **rest)",
    }  # fmt: skip


def test_a_file_that_is_no_python_is_counted_and_the_others_are_read(library: Path) -> None:
    (library / "beta.py").write_bytes(b"\xff\xfe")
    (library / "gamma.py").write_text("def broken(:\n")
    report = ReadReport()
    assert len(list(read_docstrings(library, report=report))) == report.read == 7
    assert report.skipped == 2
    assert "beta.py" in report.reasons[0]


def test_a_folder_without_docstrings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no docstrings"):
        list(read_docstrings(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_docstrings(tmp_path / "gone"))


def test_the_fingerprint_tells_whether_anything_changed(library: Path) -> None:
    before = fingerprint(library)
    assert fingerprint(library) == before
    (library / "pack" / "tests" / "new.py").write_text('"""Not read."""')
    assert fingerprint(library) == before
    (library / "pack" / "sub.py").write_text("def f():\n    '''Changed.'''")
    changed = fingerprint(library)
    assert changed != before
    os.utime(library / "pack" / "sub.py", (1, 1))
    touched = fingerprint(library)
    assert touched != changed
    (library / "delta.py").touch()
    assert fingerprint(library) != touched


def test_the_standard_library_gives_thousands_of_documents_without_importing_them() -> None:
    loaded = set(sys.modules)
    report = ReadReport()
    documents = list(read_docstrings(report=report))
    assert not {name for name in set(sys.modules) - loaded if name in ("turtle", "antigravity", "this", "ftplib")}
    assert len(documents) > 4000
    assert report.skipped == 0
    ids = Counter(d.id for d in documents)
    assert max(ids.values()) == 1
    assert {"json.dumps", "pathlib.Path.exists", "shutil.copytree", "json", "threading.Thread"} <= ids.keys()
    assert not [name for name in ids if name.split(".")[0] in ("test", "idlelib", "lib2to3")]
    assert not [name for name in ids if any(part.startswith("_") for part in name.split("."))]
    assert all(d.text.strip() for d in documents)
    assert documents[:50] == list(itertools.islice(read_docstrings(), 50))
