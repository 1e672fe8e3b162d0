"""The query tower that ships with Twofold, from texts that may be used for it.

    twofold bench training recipes/static_query_tower.py --data DATA --to FOLDER

FOLDER/static_query_tower.safetensors is the file that ships. DATA is the folder of docs/data.md. Only sets under
permissive or share-alike licences are read: questions and sentences of pair files, questions of nq-open, sentences and
titles of Wikipedia passages. The teacher, the embedded default, encodes each once and the table is fitted to that, some
eight minutes on two cores. docs/training.md has what it measured.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from twofold.encoders.loading import load_encoder
from twofold.progress import Progress
from twofold.readers.pairs import read_pairs
from twofold.readers.queries import read_queries
from twofold.readers.reading import read
from twofold.tables import Column, Table
from twofold.training.distilling import DistillingSettings
from twofold.training.query_tower import sentences
from twofold.training.static_tower import distil_static

PAIRS = (
    "cmrc2018-trial-train drcd-dev-train factbook-train fairytaleqa-train films-train gesetze-train medquad-train "
    "openstax-train peps-train policyqa-dev-train powershell-train pycode-train scitldr-train selqa-dev-train "
    "tldr-crosslingual tldr-train"
)
LICENCES = (
    "MedQuAD, tldr-pages, PowerShell-Docs (CC BY 4.0); FairytaleQA, SelQA, SciTLDR (Apache-2.0); PolicyQA (MIT); "
    "CMRC 2018, DRCD, Wikipedia and its films (CC BY-SA); OpenStax (CC BY 3.0); Gesetze im Internet, World Factbook, "
    "PEPs (public domain); docstrings of Python code (permissive); questions of nq-open (CC BY-SA 3.0)"
)
SENTENCES_A_POSITIVE, OF_POSITIVES, SENTENCES_A_PASSAGE, OF_PASSAGES = 6, 80_000, 2, 170_000
SETTINGS = DistillingSettings(epochs=6, batch=2048)


def measured(data: Path, work: Path, progress: Progress) -> Table:
    """Reads the texts, fits the table, writes it, and says how well it follows."""
    table, fidelity = distil_static(
        load_encoder(), texts_of(data), about={"texts": LICENCES}, settings=SETTINGS, progress=progress
    )
    table.write(work / "static_query_tower.safetensors")
    columns = (Column("texts"), Column("held out"), Column("cosine", digits=4), Column("of the 10 nearest", "%", 1))
    row = (fidelity.texts, fidelity.held_out, fidelity.cosine, fidelity.nearest * 100)
    return Table("The static query tower beside its teacher", columns, (row,))


def texts_of(data: Path) -> list[str]:
    """Questions and sentences, each once, in an order that is the same every time."""
    draw = random.Random(0)  # noqa: S311 - a draw that can be repeated, no secret
    pairs = [pair for name in PAIRS.split() for pair in read_pairs(data / "pairs" / f"{name}.jsonl.xz")]
    asked = {pair.query for pair in pairs} | set(read_queries(data / "wiki" / "nq-open.queries.jsonl.xz").values())
    said = {each for pair in pairs for each in islice(sentences(pair.positive), SENTENCES_A_POSITIVE)}
    passages = set(_of_passages(data / "wiki" / "passages-100k.jsonl.xz", draw))
    chosen = draw.sample(sorted(said), OF_POSITIVES) + draw.sample(sorted(passages), OF_PASSAGES)
    texts = sorted({text for text in (*asked, *chosen) if text.strip()})
    draw.shuffle(texts)
    return texts


def _of_passages(path: Path, draw: random.Random) -> Iterator[str]:
    for document in read(path):
        yield document.title
        found = list(sentences(document.text))
        yield from draw.sample(found, min(SENTENCES_A_PASSAGE, len(found)))
