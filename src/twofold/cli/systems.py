"""What `twofold compare` compares: runs, collections, and a BEIR folder that is indexed with each encoder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.addresses import is_address
from twofold.cli.evaluate import SPLIT, warn
from twofold.cli.judged import Judged, files_in, folder_indexed, names_of
from twofold.cli.options import is_there, open_given
from twofold.cli.output import note
from twofold.cli.second_stage import OPTIONS, SecondStageOptions, refuse_without_model
from twofold.cli.ways import DEPTH, searchers_of
from twofold.reports import EncodingReport

if TYPE_CHECKING:
    from twofold.evaluation.evaluating import Evaluation
    from twofold.rankings import Qrels, Run

ENCODER, COLLECTION, RUN = "encoder", "collection", "run"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Runs and evaluations by name, the judgements, and the texts of the queries where they are known."""

    systems: Mapping[str, Run | Evaluation]
    qrels: Qrels
    queries: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems that the command line names, each with its kind, and the BEIR folder among them."""

    arguments: argparse.Namespace
    folder: str | None
    named: tuple[tuple[str, str], ...]
    second: SecondStageOptions = field(default_factory=SecondStageOptions)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Systems:
        """Those of the command line; ends the command where they do not belong together."""
        folders = [each for each in arguments.systems if os.path.isdir(each) and not is_there(each)]
        named: list[tuple[str, str]] = []
        for each in arguments.systems:
            if each in folders:
                named += [(ENCODER, encoder) for encoder in arguments.encoder or ()]
            else:
                named.append((COLLECTION if os.path.isdir(each) or is_address(each) else RUN, each))
        _check(arguments, folders, [kind for kind, _ in named])
        second = SecondStageOptions.of(arguments)
        return cls(arguments, folders[0] if folders else None, tuple(named), second)

    @property
    def inputs(self) -> list[str | Path | None]:
        """Files that are read."""
        files = [place for kind, place in self.named if kind == RUN]
        inside = [] if self.folder is None else files_in(self.folder)
        return [*files, self.arguments.qrels, self.arguments.queries, *inside]

    def evaluated(self) -> Evaluated:
        """Reads every run, and asks everything else one after the other; runs are read before anything is indexed."""
        from twofold.evaluation.evaluating import checked_measures, without_own
        from twofold.readers.trec import read_run

        arguments = self.arguments
        arguments.depth = DEPTH if arguments.depth is None else arguments.depth
        checked_measures(arguments.measure, arguments.depth)
        queries, qrels = self._judged()
        encoders = {place for kind, place in self.named if kind == ENCODER}
        names = names_of([place for _, place in self.named], whole=encoders)
        found: dict[str, Run | Evaluation] = {name: {} for name in names}  # in the order of the command line
        runs = [(name, place) for name, (kind, place) in zip(names, self.named, strict=True) if kind == RUN]
        for name, place in runs:
            run = read_run(place)
            found[name] = without_own(run) if arguments.ignore_identical_ids else run
        for name, (kind, place) in zip(names, self.named, strict=True):
            if kind != RUN:
                note(f"{name}:")
                found[name] = self._asked(kind, place, name, queries or {}, qrels)
        return Evaluated(found, qrels, queries)

    def _judged(self) -> tuple[Mapping[str, str] | None, Qrels]:
        from twofold.readers.beir import read_beir
        from twofold.readers.queries import read_queries
        from twofold.readers.trec import read_qrels

        if self.folder is not None:
            beir = read_beir(self.folder, self.arguments.split or SPLIT)
            return beir.queries, beir.qrels
        queries = None if self.arguments.queries is None else read_queries(self.arguments.queries)
        return queries, read_qrels(self.arguments.qrels)

    def _asked(self, kind: str, place: str, name: str, queries: Mapping[str, str], qrels: Qrels) -> Evaluation:
        own = argparse.Namespace(**vars(self.arguments))
        if kind == COLLECTION:
            own.collection, own.encoder = place, None
            with open_given(own) as collection:
                return self._measured(Judged(name, collection, dict(queries), qrels))
        own.target, own.encoder, own.split, own.passages = self.folder, place, own.split or SPLIT, None
        own.passage_tokens = own.passage_overlap = own.passage_context = None
        own.to = None if own.to is None else _kept(own.to, name)
        with folder_indexed(own) as judged:
            return self._measured(judged)

    def _measured(self, judged: Judged) -> Evaluation:
        from twofold.cli.bars import bar
        from twofold.evaluation.evaluating import evaluate

        arguments, report = self.arguments, EncodingReport()
        modes, second = [arguments.mode] if arguments.mode else [], self.second
        with searchers_of(judged, modes, report, second) as (searchers, mode):
            note(f"searched in mode {mode}")
            with bar("Searching", "queries") as progress:
                evaluation = evaluate(
                    searchers[mode],
                    judged.queries,
                    judged.qrels,
                    measures=arguments.measure,
                    depth=arguments.depth,
                    all_judged=arguments.all_judged,
                    timed=arguments.timed or 0,
                    ignore_identical_ids=arguments.ignore_identical_ids,
                    progress=progress,
                )
        warn(report)
        second.warn()
        return evaluation


def _kept(folder: str, name: str) -> str:
    """The collection of an encoder in the folder that --to names."""
    return os.path.join(folder, name.replace("/", "-").strip("-") + ".twofold")


def _check(arguments: argparse.Namespace, folders: Sequence[str], kinds: Sequence[str]) -> None:
    """Ends the command with a word on what does not belong together."""
    if len(folders) > 1:
        arguments.misuse(f"a comparison is on one BEIR folder, not {len(folders)}: {', '.join(folders)}")
    if folders and not arguments.encoder:
        arguments.misuse(f"{folders[0]} is a folder: give each encoder to index it with by --encoder")
    if arguments.encoder and not folders:
        arguments.misuse("--encoder goes with a BEIR folder, which is indexed with each; a collection has its own")
    if folders and (arguments.qrels is not None or arguments.queries is not None):
        arguments.misuse("a BEIR folder has its own queries and judgements; --split chooses among them")
    if not folders and arguments.qrels is None:
        arguments.misuse("--qrels, the judgements, is missing")
    if COLLECTION in kinds and not folders and arguments.queries is None:
        arguments.misuse("a collection is asked: give the queries with --queries")
    if len(kinds) < 2:
        arguments.misuse("a comparison needs at least two runs, collections or encoders")
    for name in ("split", "to") if not folders else ():
        if getattr(arguments, name) is not None:
            arguments.misuse(f"--{name} goes with a BEIR folder")
    refuse_without_model(arguments)
    for name in ("mode", "depth", "timed", "threads", *OPTIONS) if set(kinds) == {RUN} else ():
        if getattr(arguments, name) is not None:
            arguments.misuse(f"--{name.replace('_', '-')} goes with what is searched; runs are there already")
    if arguments.timed is not None and arguments.timed < 0:
        arguments.misuse("--timed is a count of queries, 0 for none")
