"""Start-up: import, help, and the size of the installed files."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS, SPREAD_NOTE, Seconds, alternating, spread
from twofold.tables import Cell, Column, Estimate, Report, Table

MEGABYTE = 1e6
IMPORTING = "import time; start = time.perf_counter(); import twofold; print(time.perf_counter() - start)"


def bench_startup(*, rounds: int = 10) -> Report:
    """Import and help times in new processes, and the bytes of every distribution that the core requires."""
    return Report(header(), [_times(rounds), _sizes()])


def _times(rounds: int) -> Table:
    imported = np.array([float(_python("-c", IMPORTING)) for _ in range(rounds)])
    taken = alternating(
        {"nothing": lambda: _python("-c", "pass"), "help": lambda: _python("-m", "twofold", "--help")}, rounds
    )
    rows = (
        ("import twofold, inside a new Python", _milliseconds(imported)),
        ("twofold --help, the whole process", _milliseconds(taken["help"])),
        ("a Python that does nothing, for comparison", _milliseconds(taken["nothing"])),
    )
    notes = (f"{SPREAD_NOTE}: {rounds}",)
    return Table("Starting", (Column("what"), Column("time", "ms", 1)), rows, notes)


def _milliseconds(values: Seconds) -> Estimate:
    return spread(values * MILLISECONDS)


def _python(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - this Python itself, with our own words
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def _sizes() -> Table:
    sizes = {name: _bytes(found) for name, found in sorted(required("twofold").items())}
    largest_first = sorted(sizes.items(), key=lambda item: -item[1])
    rows: list[tuple[Cell, ...]] = [(name, distribution(name).version, size / MEGABYTE) for name, size in largest_first]
    rows.append(("all", None, sum(sizes.values()) / MEGABYTE))
    notes = ("what `pip install twofold` brings, from the lists of installed files, compiled caches left out",)
    columns = (Column("distribution"), Column("version"), Column("size", "MB", 1))
    return Table("Installed size of the core", columns, tuple(rows), notes)


def required(name: str) -> dict[str, Distribution]:
    """The distribution and all that it requires here, without extras, by name."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        try:
            here = distribution(name)
        except PackageNotFoundError:
            continue  # required elsewhere only: another system, an extra
        key = re.sub(r"[-_.]+", "-", here.metadata["Name"]).lower()
        if key not in found:
            found[key] = here
            waiting += [re.split(r"[^\w.-]", each)[0] for each in here.requires or () if "extra ==" not in each]
    return found


def _bytes(each: Distribution) -> int:
    paths = (Path(str(file.locate())) for file in each.files or () if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())
