"""Collections under names that somebody keeps giving to other folders, and workers that read and write by those names.

Every collection has a tag, which is in the text of each of its documents; every word is in one document of each, under
another id. So an answer tells whether its parts are of one collection.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import CollectionError, MovedError, QueryError
from twofold.scores import dense_scores

ENCODER = HashedWords(256)
WORDS = 20
PLACES = ("a", "b")
NAMES = ("one", "two", "three")


def build(path: Path, tag: int) -> None:
    """A new collection; those with an even tag have a lexical index."""
    with create(path, ENCODER) as collection:
        collection.add((f"d{number}", f"word{(number + tag) % WORDS} tag{tag}") for number in range(WORDS))
        if tag % 2 == 0:
            collection.tune()


def tag_of(text: str) -> str:
    """The tag in a text."""
    return text.split()[1]


@dataclass
class Findings:
    """What a worker saw.

    wrong: answers that no collection gives. acknowledged: (tag, id, text) that `add` returned for. said: errors, by
    class.
    """

    wrong: list[str] = field(default_factory=list)
    acknowledged: list[tuple[str, str, str]] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    answers: int = 0


class Worker:
    """Opens collections by their names and uses each for a while."""

    def __init__(self, name: str, home: Path, findings: Findings) -> None:
        self._name = name
        self._home = home
        self._findings = findings
        self._draw = random.Random(name)
        self._added = 0

    def work(self, ended: Callable[[], bool]) -> None:
        """Until the end; whatever is no error of a collection is wrong."""
        while not ended():
            try:
                with open_collection(self._path()) as collection:
                    if found := collection.get("d0"):  # else it is empty still
                        for _ in range(self._draw.randrange(1, 40)):
                            self._once(collection, tag_of(found.text))
            except (CollectionError, QueryError) as error:
                self._findings.said[type(error).__name__] += 1
                if isinstance(error, MovedError) and "pen the collection again" not in str(error):
                    self._findings.wrong.append(f"no way out: {error}")
            except BaseException as error:  # noqa: BLE001 - whatever comes is a finding
                self._findings.wrong.append(f"{type(error).__name__}: {error}")

    def _path(self) -> Path | str:
        name = self._draw.choice(NAMES)
        return name if self._draw.random() < 0.3 else self._home / self._draw.choice(PLACES) / name

    def _once(self, collection: Collection, tag: str) -> None:
        step = self._draw.randrange(6)
        if step == 0:
            self._added += 1
            identifier = f"{self._name}-{self._added}"
            text = f"added {tag} {identifier}"
            collection.add([(identifier, text)])
            self._findings.acknowledged.append((tag, identifier, text))
        elif step == 1:
            self._right(tag, [document.text for document in collection], "listing")
        else:
            self._search(collection, tag, f"word{self._draw.randrange(WORDS)}")
        self._findings.answers += 1

    def _search(self, collection: Collection, tag: str, word: str) -> None:
        hits = collection.search(word, k=3, mode="dense")
        self._right(tag, [hit.document.text for hit in hits], "search")
        query = ENCODER.encode_queries([word])[0]
        stored = ENCODER.encode_documents([hit.document.text for hit in hits]).astype(np.float16).astype(np.float32)
        if hits[0].document.text != f"{word} {tag}":
            self._findings.wrong.append(f"{word} in {tag} finds {hits[0]}")
        if dense_scores(query, stored).tolist() != [hit.score for hit in hits]:
            self._findings.wrong.append(f"{word} in {tag}: the scores are of other vectors than the texts")
        if int(tag[3:]) % 2 == 0:
            found = [hit.document.text for hit in collection.search(word, k=3, mode="lexical")]
            if found != [f"{word} {tag}"]:
                self._findings.wrong.append(f"{word} in the words of {tag} finds {found}")

    def _right(self, tag: str, texts: list[str], how: str) -> None:
        if others := {tag_of(text) for text in texts} - {tag}:
            self._findings.wrong.append(f"{how} in {tag} gives documents of {sorted(others)}")


class Mover:
    """Renames, exchanges, removes and makes collections anew, and changes the working directory."""

    def __init__(self, home: Path, seed: int) -> None:
        self._home = home
        self._draw = random.Random(seed)
        self._tags = 0
        self._aside = 0
        for folder in (*PLACES, "old"):
            (home / folder).mkdir(parents=True)
        for path in self._names():
            self._build(path, words=self._draw.random() < 0.5)

    def step(self) -> str:
        """One random change; gives its name."""
        changes = [self.exchange, self.exchange_and_back, self.replace, self.remove, self.make_anew, self.chdir]
        change = self._draw.choice(changes)
        change()
        return change.__name__

    def exchange(self) -> None:
        """Two collections get each other's name."""
        first, second = self._draw.sample(self._names(), 2)
        aside = self._new()
        for path, target in ((first, aside), (second, first), (aside, second)):
            self._rename(path, target)

    def exchange_and_back(self) -> None:
        """The same many times, as fast as can be."""
        first, second = self._draw.sample(self._names(), 2)
        aside = self._new()
        for _ in range(2 * self._draw.randrange(1, 100)):
            for path, target in ((first, aside), (second, first), (aside, second)):
                self._rename(path, target)

    def replace(self) -> None:
        """A collection is built aside and takes a name; the one that had it gets another."""
        path, fresh = self._draw.choice(self._names()), self._new()
        self._build(fresh, words=True)  # while words are being read for the first time, a search finds some of them
        self._rename(path, self._new())
        self._rename(fresh, path)

    def remove(self) -> None:
        """A collection is removed, and the name stays free for a while."""
        path = self._draw.choice(self._names())
        shutil.rmtree(path, ignore_errors=True)

    def make_anew(self) -> None:
        """A collection is removed and another one made by the same name."""
        path = self._draw.choice(self._names())
        while path.exists():  # a writer may put a file into a folder that is being removed
            shutil.rmtree(path, ignore_errors=True)
        self._build(path, words=False)

    def chdir(self) -> None:
        """Relative names mean other folders from now on."""
        os.chdir(self._home / self._draw.choice(PLACES))

    def _names(self) -> list[Path]:
        return [self._home / place / name for place in PLACES for name in NAMES]

    def _new(self) -> Path:
        self._aside += 1
        return self._home / "old" / str(self._aside)

    def _build(self, path: Path, *, words: bool) -> None:
        self._tags += 1 if self._tags % 2 == words else 2
        build(path, self._tags)

    def _rename(self, path: Path, target: Path) -> None:
        if path.exists() and not target.exists():
            path.rename(target)


def work_in_process(name: str, home: str, stop: Any, report: str) -> None:
    """A worker of its own process, which changes its working directory too; writes what it found."""
    os.chdir(Path(home) / "a")
    findings, steps = Findings(), Counter[str]()

    def ended() -> bool:
        steps["opened"] += 1
        os.chdir(Path(home) / PLACES[steps["opened"] % 2])
        return bool(stop.is_set())

    Worker(name, Path(home), findings).work(ended)
    Path(report).write_text(json.dumps([findings.wrong, findings.acknowledged, dict(findings.said), findings.answers]))


def threads(home: Path, count: int, stop: threading.Event) -> tuple[list[threading.Thread], list[Findings]]:
    """So many working threads of this process, started."""
    findings = [Findings() for _ in range(count)]
    workers = [Worker(f"thread{number}", home, each) for number, each in enumerate(findings)]
    started = [threading.Thread(target=worker.work, args=(stop.is_set,)) for worker in workers]
    for thread in started:
        thread.start()
    return started, findings
