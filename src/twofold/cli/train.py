"""`twofold train`: fine-tunes an encoder on the user's own questions, and measures the gain."""

from __future__ import annotations

import argparse
import os
import shlex
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json, print_line

if TYPE_CHECKING:
    from twofold.training.outcome import TrainingOutcome
    from twofold.training.settings import TrainingSettings

NUMBERS = {
    "epochs": "passes over the pairs",
    "batch": "pairs a step; each is a negative of all others",
    "micro_batch": "texts in memory at once, for batches that do not fit",
    "pairs": "the largest number of questions, drawn with the seed",
    "lora": "rank of the adapters that are trained instead of the weights; 0 trains all weights",
    "negatives": "hard negatives a pair, found by the base's own search",
    "seed": "of the split and of the order of batches",
}
SHARES = {
    "learning_rate": "the highest rate",
    "margin": "negatives score at most this share of the answer's score",
    "blend": "share of the trained weights in the result; the rest are the base's",
    "dev_share": "share of the queries that are held out for evaluation",
}


RANKERS = ("cross-encoder", "late-interaction")
OF_ENCODERS = ("micro_batch", "lora", "blend", "towers", "dimensions")
"""Settings that a ranker does not have."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "train",
        run,
        does="train an encoder on questions and their answers, and measure the gain; needs the extra [train]",
        examples=(
            "twofold train scifact --to my-encoder --test",
            "twofold train --query-tower 2-layer --for articles.twofold --to my-tower",
        ),
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        help="a BEIR folder with training judgements, or a file of pairs (JSON Lines, TSV, CSV); for a query tower and "
        "with --from-corpus any documents",
    )
    parser.add_argument("--to", metavar="FOLDER", help="the new model's folder, or the tower's file")
    parser.add_argument(
        "--base", metavar="NAME", help="the model to train: a folder or a hub name (the embedded all-MiniLM-L6-v2)"
    )
    parser.add_argument(
        "--test",
        action="store_true",
        help="also evaluate the folder's test split, before and after; do not use it to choose settings",
    )
    parser.add_argument(
        "--also",
        metavar="FOLDER",
        nargs="+",
        default=[],
        help="other BEIR folders whose test splits are evaluated too, to measure forgetting",
    )
    parser.add_argument(
        "--from-corpus",
        action="store_true",
        help="learn from documents alone: titles and headings become queries for their text, sentences for the rest",
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="only inspect the data: duplicates, leaks, what mining drops and keeps",
    )
    _add_kind_options(parser)
    _add_tower_options(parser)
    _add_settings(parser)
    parser.set_defaults(misuse=parser.error)


def _add_kind_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kind",
        choices=["encoder", *RANKERS],
        default="encoder",
        help="what is trained: an encoder, or a ranker that orders what an encoder finds (encoder)",
    )
    parser.add_argument(
        "--encoder",
        metavar="NAME",
        help="of a ranker: the first stage, a folder or a hub name (the embedded all-MiniLM-L6-v2)",
    )


def _add_tower_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--query-tower",
        choices=["static", "2-layer", "4-layer"],
        help="fit a smaller tower that encodes queries instead of the base; documents keep their vectors: a table "
        "of tokens (microseconds a query), or some of the base's layers",
    )
    parser.add_argument(
        "--for",
        dest="collection",
        metavar="COLLECTION",
        help="with --query-tower: its encoder is the base, it is tried with the tower, and without DATA its own "
        "sentences are what is learned from",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    from twofold.training.ranker_settings import RANKER_LOSSES
    from twofold.training.settings import LOSSES, TOWERS

    group = parser.add_argument_group("settings (docs/training.md explains each)")
    for names, kind in ((NUMBERS, int), (SHARES, float)):
        for name, what in names.items():
            group.add_argument(_option(name), type=kind, metavar="N", help=f"{what} ({_default(name)})")
    group.add_argument(
        "--teacher",
        metavar="NAME",
        help="another encoder or a cross-encoder, a folder or a hub name: what it takes for an answer is no negative, "
        "and the losses margin-mse, kl and mse learn its scores",
    )
    of_rankers = "; ".join(f"of --kind {kind} {', '.join(each)}" for kind, each in RANKER_LOSSES.items())
    group.add_argument(
        "--loss",
        choices=dict.fromkeys([*LOSSES, *chain(*RANKER_LOSSES.values())]),
        help=f"the loss, the first by default: {', '.join(LOSSES)}; {of_rankers}",
    )
    group.add_argument("--towers", choices=TOWERS, help="one set of weights for both sides, or one for each (shared)")
    group.add_argument(
        "--dimensions", type=int, nargs="+", metavar="N", help="prefixes of the vector that are trained too (none)"
    )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _default(name: str) -> str:
    from twofold.training.settings import TrainingSettings

    value = getattr(TrainingSettings(), name)
    return {"micro_batch": "what fits", "pairs": "all"}[name] if value is None else f"{value:g}"


def run(arguments: argparse.Namespace) -> int:
    """Trains, and prints before and after."""
    from twofold.collection.opening import check_outside

    of_encoders = arguments.audit or arguments.test or arguments.also or arguments.from_corpus
    if arguments.query_tower and (of_encoders or _given(arguments)):
        arguments.misuse("--query-tower is fitted without judgements: of the options it takes --base, --for and --to")
    if arguments.collection is not None and (not arguments.query_tower or arguments.base is not None):
        arguments.misuse("--for goes with --query-tower, and says what the base is")
    _check_kind(arguments)
    if arguments.data is None and arguments.collection is None:
        arguments.misuse("DATA, the training data, is missing")
    if arguments.audit:
        return _audit(arguments)
    if arguments.to is None:
        arguments.misuse("--to says where the result is written")
    check_outside(arguments.to)
    if arguments.kind in RANKERS:
        return _ranker(arguments)
    return _query_tower(arguments) if arguments.query_tower else _encoder(arguments)


def _check_kind(arguments: argparse.Namespace) -> None:
    """Ends the command with a word on what does not go with the kind of model."""
    from twofold.training.ranker_settings import RANKER_LOSSES
    from twofold.training.settings import LOSSES

    ranker = arguments.kind in RANKERS
    if not ranker and arguments.encoder is not None:
        arguments.misuse("--encoder is the first stage of a ranker (--kind); the model to train is --base")
    if arguments.loss is not None and arguments.loss not in (RANKER_LOSSES[arguments.kind] if ranker else LOSSES):
        arguments.misuse(f"--loss {arguments.loss} does not go with --kind {arguments.kind}")
    names = ("query_tower", "audit", "also", "from_corpus", *OF_ENCODERS)
    given = next((name for name in names if getattr(arguments, name) not in (None, False, [])), None)
    if ranker and given is not None:
        arguments.misuse(f"{_option(given)} goes with an encoder, not with --kind {arguments.kind}")


def _ranker(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.training.ranker_settings import RankerSettings
    from twofold.training.rankers import train_ranker

    with bar("Training", "documents, then steps") as progress:
        outcome = train_ranker(
            arguments.data,
            to=arguments.to,
            base=arguments.base,
            encoder=arguments.encoder,
            settings=RankerSettings(kind=arguments.kind, **_given(arguments)),
            test=arguments.test,
            progress=progress,
        )
    if arguments.json:
        print_json(outcome.to_json())
        return 0
    _show(outcome)
    print_line(f"use it: --rerank {shlex.quote(arguments.to)} of search, evaluate and compare")
    return 0


def _show(outcome: TrainingOutcome) -> None:
    from twofold.cli.screens import Screen

    screen = Screen()
    for table in outcome.tables():
        screen.table(table)
        screen.line()
    for said in (f"hard negatives: {outcome.mining}", *outcome.verdicts()):
        print_line(said)


def _audit(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.cli.screens import Screen
    from twofold.training.training import audit_data

    settings = _settings(arguments)
    with bar("Looking", "documents") as progress:
        audit, mined = audit_data(
            arguments.data,
            base=arguments.base,
            settings=settings,
            from_corpus=arguments.from_corpus,
            progress=progress,
        )
    if arguments.json:
        print_json({**audit.to_json(), "mining": mined.to_json()})
        return 0
    Screen().table(audit.table())
    print_line(f"hard negatives: {mined}")
    print_line(f"--json has {len(audit.sheet)} of them for inspection, each with its question and answer")
    return 0


def _query_tower(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.cli.screens import Screen
    from twofold.training.query_tower import train_query_tower

    with bar("Fitting", "steps") as progress:
        outcome = train_query_tower(
            arguments.data,
            to=arguments.to,
            kind=arguments.query_tower,
            base=arguments.base,
            collection=arguments.collection,
            progress=progress,
        )
    if arguments.json:
        print_json(outcome.to_json())
        return 0
    Screen().table(outcome.table())
    print_line(str(outcome.fidelity))
    print_line(outcome.verdict())
    tower = shlex.quote(arguments.to)
    if arguments.collection is not None:
        print_line(f"use it: `twofold search {shlex.quote(arguments.collection)} QUERY --query-tower {tower}`")
    else:
        base = "" if arguments.base is None else f"--encoder {shlex.quote(arguments.base)} "
        print_line(f"use it: {_indexing(arguments.data, f'{base}--query-tower {tower}')}")
    return 0


def _encoder(arguments: argparse.Namespace) -> int:
    from twofold.cli.bars import bar
    from twofold.training.training import train

    settings = _settings(arguments)
    with bar("Training", "documents, then steps") as progress:
        outcome = train(
            arguments.data,
            to=arguments.to,
            base=arguments.base,
            settings=settings,
            from_corpus=arguments.from_corpus,
            test=arguments.test,
            also=arguments.also,
            progress=progress,
        )
    if arguments.json:
        print_json(outcome.to_json())
        return 0
    _show(outcome)
    if arguments.from_corpus and not arguments.test:
        print_line("dev asks with the corpus's own titles and sentences: human questions may gain less, or lose")
    encoder, data = shlex.quote(arguments.to), shlex.quote(arguments.data)
    if arguments.from_corpus or os.path.isdir(arguments.data):
        print_line(f"use it: {_indexing(arguments.data, f'--encoder {encoder}')}")
    else:  # pairs are no documents
        print_line(f"use it: `twofold similarity --pairs {data} --encoder {encoder}`")
    return 0


def _indexing(data: str, encoder: str) -> str:
    """The command that indexes the data into a collection that is not there yet; encoder: options, quoted."""
    stem = Path(data).resolve().name.split(".")[0] or "collection"
    names = (f"{stem}{number}.twofold" for number in chain([""], (f"-{n}" for n in count(2))))
    free = next(name for name in names if not os.path.exists(name))
    return f"`twofold index {shlex.quote(data)} {encoder} --to {shlex.quote(free)}`"


def _settings(arguments: argparse.Namespace) -> TrainingSettings:
    from twofold.training.settings import TrainingSettings

    return TrainingSettings(**_given(arguments))


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line names."""
    given = {name: getattr(arguments, name) for name in (*NUMBERS, *SHARES, "loss", "towers", "teacher")}
    given["dimensions"] = tuple(arguments.dimensions) if arguments.dimensions else None
    return {name: value for name, value in given.items() if value is not None}
