"""Folders are renamed, exchanged, removed and made anew beside threads and processes that read and write in them."""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from swapping import Findings, Mover, tag_of, threads, work_in_process

from twofold.collection.opening import open_collection

THREADS, PROCESSES = 8, 3
PAUSE = 0.05
"""Seconds between two changes, so that the workers open and use what is there."""


@pytest.mark.parametrize("steps", [30, pytest.param(200, marks=pytest.mark.long)])
def test_folders_that_change_places_mix_nothing_damage_nothing_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    home = tmp_path / "home"
    mover, context = Mover(home, seed=steps), multiprocessing.get_context("spawn")
    monkeypatch.chdir(home / "a")
    stop, stop_processes = threading.Event(), context.Event()
    reports = [tmp_path / f"{number}.json" for number in range(PROCESSES)]
    processes = [
        context.Process(target=work_in_process, args=(f"process{number}", str(home), stop_processes, str(report)))
        for number, report in enumerate(reports)
    ]
    for process in processes:
        process.start()
    started, findings = threads(home, THREADS, stop)
    done = Counter[str]()
    for _ in range(steps):
        done[mover.step()] += 1
        time.sleep(PAUSE)
    stop.set()
    stop_processes.set()
    for thread in started:
        thread.join()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0  # no signal, such as SIGBUS
    for report in reports:
        wrong, acknowledged, said, answers = json.loads(report.read_text())
        findings.append(Findings(wrong, [tuple(each) for each in acknowledged], Counter(said), answers))
    told(done, findings)
    assert [wrong for each in findings for wrong in each.wrong] == []
    assert sum(each.answers for each in findings) > steps
    check(home, findings)


def told(done: Counter[str], findings: list[Findings]) -> None:
    """Prints what was done and seen."""
    said = sum((each.said for each in findings), Counter[str]())
    print(f"\n{dict(done)}: {sum(each.answers for each in findings)} answers, errors: {dict(said)}")


def check(home: Path, findings: list[Findings]) -> None:
    """Every collection that is left is whole, of one tag, and has all that was acknowledged for it."""
    acknowledged: dict[str, dict[str, str]] = {}
    for tag, identifier, text in (each for found in findings for each in found.acknowledged):
        acknowledged.setdefault(tag, {})[identifier] = text
    left = sorted(path.parent for path in home.rglob("collection.json"))
    assert len(left) > 3
    kept = 0
    for path in left:
        with open_collection(path) as collection:
            assert collection.verify().damage == []
            documents = {document.id: document.text for document in collection}
            (tag,) = {tag_of(text) for text in documents.values()}
            assert acknowledged.get(tag, {}).items() <= documents.items()
            kept += len(acknowledged.get(tag, {}))
    print(f"{len(left)} collections left, with {kept} documents that were acknowledged meanwhile")
    assert kept > 0
