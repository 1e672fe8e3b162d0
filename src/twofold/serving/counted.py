"""What a model made of the texts of one request, and which of them it did not read to their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twofold.errors import TruncationError
from twofold.scores import Vectors


@dataclass(frozen=True, slots=True)
class Counted:
    """values: float32, vectors (n, dimension) or scores (n,). cut: place of a text → tokens that were not read.

    tokens: that were read; 0 where only those of a whole batch are known.
    """

    values: Vectors
    cut: Mapping[int, int] = field(default_factory=dict)
    tokens: int = 0

    def check_whole(self) -> None:
        """Raises TruncationError where a text was not read to its end."""
        for place, lost in self.cut.items():
            raise TruncationError(
                f'text {place} is {lost:,} tokens longer than the model reads; divide it, or ask for "truncate": true'
            )

    @property
    def warnings(self) -> list[str]:
        """A sentence on the texts that were cut, if there are any."""
        if not self.cut:
            return []
        return [f"longer than the model reads, and cut at their ends: documents {_named(sorted(self.cut))}"]


def _named(places: Sequence[int], most: int = 20) -> str:
    more = f" and {len(places) - most:,} more" if len(places) > most else ""
    return ", ".join(map(str, places[:most])) + more
