"""Judgements and runs as TREC writes them: `read_qrels`, `read_run`, `write_run`.

ASCII white space separates columns, as in trec_eval, so ids cannot contain it.
"""

from __future__ import annotations

import gzip
import lzma
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from twofold.errors import InputError
from twofold.files import write_aside
from twofold.rankings import Qrels, Run, ranked
from twofold.readers.opening import PathLike, decoded, numbered_lines, shown

_whole = re.compile(r"([+-]?[0-9]{1,9})(\.0*)?")
_white_space = re.compile(r"[ \t\n\r\x0b\x0c]")


def read_qrels(path: PathLike) -> Qrels:
    """Judgements: TREC's four columns (query, iteration, document, relevance), or BEIR's three with tabs.

    BEIR's header line may be missing. path: plain, .gz or .xz; `-` is standard input. Raises InputError, naming file
    and line, for another number of columns, a relevance that is no whole number, a pair judged twice with different
    relevance, and a file without judgements.
    """
    qrels: Qrels = {}
    for line, (query, document, relevance) in _judgements(path):
        number = _whole.fullmatch(relevance)
        if number is None:
            raise InputError(f"a relevance is a whole number, not {relevance!r}", path=shown(path), line=line)
        judged = qrels.setdefault(query, {})
        if judged.setdefault(document, int(number[1])) != int(number[1]):
            raise InputError(
                f"query {query!r} and document {document!r} were judged before, as {judged[document]}",
                path=shown(path),
                line=line,
            )
    if not qrels:
        raise InputError("no judgements in it", path=shown(path))
    return qrels


def read_run(path: PathLike) -> Run:
    """A run: six columns (query, Q0, document, rank, score, tag); rank and tag are ignored, as in trec_eval.

    path: plain, .gz or .xz; `-` is standard input. Raises InputError, naming file and line, for another number of
    columns, a score that is no finite number, and a document that a query has twice.
    """
    run: Run = {}
    for line, columns in _columns(path):
        if len(columns) != 6:
            raise InputError(
                f"{len(columns)} columns; a run has six: query Q0 document rank score tag", path=shown(path), line=line
            )
        query, _, document, _, score, _ = columns
        found = run.setdefault(query, {})
        if document in found:
            raise InputError(f"query {query!r} has the document {document!r} twice", path=shown(path), line=line)
        found[document] = _score(score, path, line)
    if not run:
        raise InputError("an empty run", path=shown(path))
    return run


def write_run(
    run: Run | Mapping[str, Mapping[str, float]], target: PathLike | IO[str], *, tag: str = "twofold"
) -> None:
    """Writes a run in trec_eval's format to a path (whole or not at all; packed for .gz and .xz), or an open text file.

    Queries in the order of the run, documents best first, equal scores by the smaller id, ranks from 1; scores with
    all their digits, so that reading gives the same numbers. (trec_eval itself breaks ties the other way round.)
    Raises InputError for an id or tag that is empty or holds white space, and for a score that is not finite, before
    anything is written to a path.
    """
    lines = _run_lines(run, tag)
    if not isinstance(target, str | os.PathLike):
        target.writelines(lines)
        return
    with write_aside(Path(target)) as file, _packed(file, Path(target).suffix.lower()) as packed:
        packed.writelines(line.encode() for line in lines)


def _run_lines(run: Mapping[str, Mapping[str, float]], tag: str) -> Iterator[str]:
    _check_column(tag, "tag")
    for query, scores in run.items():
        _check_column(query, "query id")
        for rank, document in enumerate(ranked(scores), start=1):
            _check_column(document, "document id")
            yield f"{query} Q0 {document} {rank} {float(scores[document])!r} {tag}\n"


def _check_column(value: str, what: str) -> None:
    if not value or _white_space.search(value):
        raise InputError(
            f"the {what} {value!r} is empty or holds white space, which separates the columns of a TREC run"
        )


def _packed(file: IO[bytes], suffix: str) -> AbstractContextManager[Any]:
    match suffix:
        case ".gz":
            return gzip.GzipFile(fileobj=file, mode="wb", mtime=0)
        case ".xz":
            return lzma.LZMAFile(file, "wb")
        case _:
            return nullcontext(file)


def _score(text: str, path: PathLike, line: int) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise InputError(f"a score is a finite number, not {text!r}", path=shown(path), line=line)
    return score


def _judgements(path: PathLike) -> Iterator[tuple[int, tuple[str, str, str]]]:
    beir = None
    for line, raw in numbered_lines(path):
        if raw.isspace():
            continue
        text = decoded(raw.rstrip(b"\r\n"), path, line)
        columns = text.split("\t")
        if beir is None:
            beir = len(columns) == 3
            if beir and columns[0].lower() in ("query-id", "query_id", "qid"):
                continue
        if not beir:
            columns = _divided(raw, path, line)
        if len(columns) != (3 if beir else 4):
            raise InputError(_wrong_count(len(columns), beir), path=shown(path), line=line)
        yield line, (columns[0], columns[1 if beir else 2], columns[-1].strip())


def _wrong_count(count: int, beir: bool) -> str:
    expected = "three with tabs: query-id, corpus-id, score" if beir else "four: query, iteration, document, relevance"
    return f"{count} columns; these judgements have {expected}"


def _columns(path: PathLike) -> Iterator[tuple[int, list[str]]]:
    for line, raw in numbered_lines(path):
        if not raw.isspace():
            yield line, _divided(raw, path, line)


def _divided(raw: bytes, path: PathLike, line: int) -> list[str]:
    # Bytes divide at ASCII white space only; a no-break space inside an id is no divider.
    return [decoded(column, path, line) for column in raw.split()]
