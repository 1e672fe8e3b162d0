"""What a server counts, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
Labels = tuple[tuple[str, str], ...]


class Counted:
    """A number for each combination of labels, which grows, or is set."""

    def __init__(self, name: str, says: str, kind: str = "counter") -> None:
        self.name, self._says, self._kind = name, says, kind
        self._values: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float, **labels: str) -> None:
        """Adds to the number of these labels."""
        key = tuple(labels.items())
        with self._lock:
            self._values[key] = self._values.get(key, 0) + amount

    def put(self, value: float, **labels: str) -> None:
        """Replaces the number of these labels."""
        with self._lock:
            self._values[tuple(labels.items())] = value

    def lines(self) -> Iterator[str]:
        """Its lines of the text format."""
        yield from _head(self.name, self._says, self._kind)
        with self._lock:
            values = list(self._values.items())
        yield from (f"{self.name}{_shown(labels)} {value:g}" for labels, value in values)


class Distribution:
    """How observed values spread, for each combination of labels. bounds: upper ends of the buckets."""

    def __init__(self, name: str, says: str, bounds: tuple[float, ...]) -> None:
        self.name, self._says, self._bounds = name, says, bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, **labels: str) -> None:
        """Counts one value."""
        key = tuple(labels.items())
        with self._lock:
            counts = self._counts.setdefault(key, [0] * (len(self._bounds) + 1))
            counts[bisect_left(self._bounds, value)] += 1
            self._sums[key] = self._sums.get(key, 0.0) + value

    def lines(self) -> Iterator[str]:
        """Its lines of the text format."""
        yield from _head(self.name, self._says, "histogram")
        with self._lock:
            all_counts = [(labels, list(counts), self._sums[labels]) for labels, counts in self._counts.items()]
        for labels, counts, total in all_counts:
            seen = 0
            for bound, count in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
                seen += count
                yield f"{self.name}_bucket{_shown((*labels, ('le', bound)))} {seen}"
            yield f"{self.name}_sum{_shown(labels)} {total:g}"
            yield f"{self.name}_count{_shown(labels)} {seen}"


class Metrics:
    """All numbers of one server process."""

    def __init__(self) -> None:
        self.requests = Counted("twofold_requests_total", "Requests answered, by route, method and status.")
        self.seconds = Distribution("twofold_request_seconds", "Seconds from request to answer, by route.", SECONDS)
        self.stage = Distribution("twofold_stage_seconds", "Seconds of a batch, by stage.", SECONDS)
        self.queued = Distribution("twofold_queue_seconds", "Seconds that requests waited, by queue.", SECONDS)
        self.batch = Distribution("twofold_batch_size", "Queries or texts worked on together, by queue.", SIZES)
        self.refused = Counted("twofold_refused_total", "Requests refused because too many waited, by queue.")
        self.open = Counted("twofold_requests_open", "Requests being answered.", "gauge")
        self.waiting = Counted("twofold_queue_waiting", "Queries or texts that wait, by queue.", "gauge")
        self.cache = Counted("twofold_query_cache_total", "Query texts by whether their vector was kept.", "counter")
        self.documents = Counted("twofold_documents", "Documents, by collection.", "gauge")
        self.bytes = Counted("twofold_bytes", "Bytes on disk, by collection and part.", "gauge")

    def text(self) -> str:
        """The page that Prometheus reads."""
        return "".join(f"{line}\n" for each in vars(self).values() for line in each.lines())


def _head(name: str, says: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"


def _shown(labels: Labels) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}" if labels else ""
