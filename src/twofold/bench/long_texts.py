"""What one long text costs: time a token and the peak memory of a new process; and the time to a first vector."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence, Sized

import numpy as np

from twofold.bench.texts import spaced
from twofold.bench.timing import MILLISECONDS, SPREAD_NOTE, spread
from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError
from twofold.tables import Cell, Column, Table

LENGTHS = (512, 2_048, 8_192)
MEGABYTE = 1e6

ALONE = """
import json, resource, sys, time
import twofold

asked = json.load(sys.stdin)
def memory():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
encoder = twofold.load_encoder(asked["model"], precision=asked["precision"])
encoder.encode_documents(["short"])
loaded, taken = memory(), []
for _ in range(asked["rounds"]):
    start = time.perf_counter()
    encoder.encode_documents([asked["text"]])
    taken.append(time.perf_counter() - start)
print(json.dumps([min(taken), loaded, memory()]))
"""
FIRST = """
import time
import twofold
start = time.perf_counter()
twofold.load_encoder().encode_queries(["what is the first vector?"])
print(time.perf_counter() - start)
"""


def long_texts(model: str | None, texts: list[str], precision: str, rounds: int) -> Table:
    """Time a token and memory at LENGTHS, each in a new process; lengths beyond the model's are left out."""
    encoder = load_encoder(model, precision=precision)
    limit = encoder.token_limit
    within = sorted({min(length, limit) for length in LENGTHS})
    source = _at_least(texts, encoder.spans, within[-1])
    ends = encoder.spans([source])[0][:, 1]
    rows: list[tuple[Cell, ...]] = []
    first = None
    for length in within:
        asked = {"model": model, "precision": precision, "text": source[: ends[length - 1]], "rounds": rounds}
        seconds, loaded, most = json.loads(in_new_python(ALONE, json.dumps(asked)))
        each = seconds / length
        first = each if first is None else first
        rows.append((length, each * 1e6, each / first, most / MEGABYTE, (most - loaded) / MEGABYTE))
    columns = (
        Column("tokens"),
        Column("time a token", "µs"),
        Column("times the first", digits=2),
        Column("peak memory", "MB"),
        Column("above that of a short text", "MB"),
    )
    notes = (f"one text in a new process, the best of {rounds}; the model takes {limit:,} tokens",)
    return Table(f"Long texts, {encoder.precision}", columns, tuple(rows), notes)


def first_vector(rounds: int) -> Table:
    """From `load_encoder()` to the vector of one query, in new processes, the import left out."""
    in_new_python(FIRST, "")
    taken = np.array([float(in_new_python(FIRST, "")) for _ in range(rounds)])
    rows = (("the embedded default, from a warm disk", spread(taken * MILLISECONDS)),)
    notes = (f"{SPREAD_NOTE}: {rounds}",)
    return Table("Loading, to the first vector", (Column("encoder"), Column("time", "ms", 1)), rows, notes)


def _at_least(texts: list[str], spans: Callable[[Sequence[str]], Sequence[Sized]], tokens: int) -> str:
    """The texts one after the other, again and again, until they have so many tokens."""
    whole = " ".join(spaced(texts, 64)) or "word"
    count = max(1, len(spans([whole])[0]))
    return " ".join([whole] * -(-tokens // count))


def in_new_python(script: str, given: str) -> str:
    """What a new Python prints that runs a script with this input; ModelError where it fails, with its last line."""
    done = subprocess.run(  # noqa: S603 - this Python itself, with our own words
        [sys.executable, "-c", script], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}, as where memory is lacking"]
        raise ModelError(f"the new process that encodes a text ended without a figure: {said[-1]}")
    return done.stdout
