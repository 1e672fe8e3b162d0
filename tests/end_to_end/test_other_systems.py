"""Twofold's code for Windows, run here: without POSIX modules and functions, and without descriptors of folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import twofold
from twofold.encoders.hashed_words import HashedWords

MATERIAL = Path(__file__).parents[1] / "material"

IMPORTS_ALL = """
import importlib, pkgutil
import twofold
for module in pkgutil.walk_packages(twofold.__path__, "twofold."):
    try:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    except twofold.MissingExtraError:
        # Classes of libraries that may be missing.
        assert module.name.split(".")[2].split("_")[0] in ("haystack", "langchain", "llamaindex")
print("imported")
"""

LIVES = """
import os, pathlib, sys, tempfile, threading
import twofold
from twofold.engines.local import in_memory
from twofold.encoders.hashed_words import HashedWords
place = sys.argv[1]
collection = twofold.create(place, HashedWords(16))
assert collection.add([(f"d{number}", f"word{number % 9} of {number}") for number in range(300)]).added == 300
collection.add([("odd", "line\\r\\nends \\x1a stay")])
assert [hit.id for hit in collection.search("word3", k=3)]
collection.tune()
assert [hit.id for hit in collection.search("ends", k=1, mode="lexical")] == ["odd"]
collection.delete([f"d{number}" for number in range(0, 300, 2)])
collection.optimize(index="scan")
assert [hit.id for hit in collection.search("word3", k=3, mode="hybrid")]
refused = []
def other():
    try:
        with twofold.open(place, HashedWords(16)) as second, second.writing(0):
            pass
    except twofold.LockedError as error:
        refused.append(str(error))
with collection.writing():
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
assert "another thread of this process" in refused[0], refused
collection.backup(f"{place}.backup")
collection.export(f"{place}.export")
collection.close()
with twofold.open(f"{place}.backup", HashedWords(16)) as copy:
    assert len(copy) == 151 and copy.verify().clean
    assert copy["odd"].text == "line\\r\\nends \\x1a stay"
os.rename(place, f"{place}.away")
try:
    collection = twofold.open(f"{place}.away", HashedWords(16))
    os.rename(f"{place}.away", place)
    collection.search("word3")
except twofold.MovedError:
    print("moved")
# Where folders are locked otherwise, those of other processes of this machine are not looked at.
tempfile.tempdir = os.path.dirname(place)
in_memory.SHARED_MEMORY = pathlib.Path(f"{place}.none")
with twofold.create(None, HashedWords(16)) as memory:
    memory.add([("a", "one")])
    folder = memory.path
    assert os.path.dirname(folder) == tempfile.tempdir
assert not os.path.exists(folder)
"""

REPLACES = """
import os, sys
from pathlib import Path
from twofold.files import write_aside
replace, refusals = os.replace, []
def refused_at_first(*paths):
    if len(refusals) < int(sys.argv[2]):
        refusals.append(paths)
        raise PermissionError(13, "in use")
    replace(*paths)
os.replace = refused_at_first
Path(sys.argv[1]).write_text("old")
try:
    with write_aside(sys.argv[1]) as file:
        file.write(b"new")
except Exception as error:
    print(type(error).__name__)
print(Path(sys.argv[1]).read_text(), len(os.listdir(Path(sys.argv[1]).parent)))
"""

READS = """
import sys
import twofold
from twofold.encoders.hashed_words import HashedWords
with twofold.open(sys.argv[1], HashedWords(16)) as collection:
    print(collection.search("word3", k=1)[0].id)
    try:
        collection.add([("b", "another")])
    except twofold.StorageError as error:
        print(error)
"""


def as_windows(script: str, *arguments: object) -> str:
    """What a script prints in a process that looks like Windows."""
    return python(f"from as_windows import pretend\npretend()\n{script}", *arguments)


def python(script: str, *arguments: object) -> str:
    paths = os.pathsep.join([str(MATERIAL), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_imported_without_what_only_posix_has() -> None:
    assert as_windows(IMPORTS_ALL) == "imported\n"


def test_a_collection_lives_without_what_only_posix_has(tmp_path: Path) -> None:
    assert as_windows(LIVES, tmp_path / "c") == "moved\n"
    assert python(READS, tmp_path / "c").startswith("d")  # the same files are read and written here


def test_a_file_that_somebody_reads_for_a_moment_is_replaced_after_it(tmp_path: Path) -> None:
    assert as_windows(REPLACES, tmp_path / "file", 3) == "new 1\n"
    assert as_windows(REPLACES, tmp_path / "file", 100) == "StorageError\nold 1\n"


def test_a_python_without_locks_reads_and_is_refused_to_write_rather_than_given_a_weaker_lock(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(16)) as collection:
        collection.add([("d", "word3")])
    found, said = python(f"import sys\nsys.modules['fcntl'] = None\n{READS}", tmp_path / "c").splitlines()
    assert found == "d"
    assert "the file system refuses locks" in said
