"""Texts → the tokens that a model of token vectors takes: markers, expansion, and which of them have a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Side
from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.token_folder import SIDES, TokenFolder
from twofold.models.token_model import TokenInput
from twofold.models.tokenizing import Tokenizing
from twofold.reports import EncodingReport
from twofold.values import without_surrogates

BLOCK = 128
"""Texts tokenised at a time, while the batches before them run."""


class TokenInputs:
    """The inputs of a folder's model, for each side. Raises ModelError where its tokenizer lacks a token to put in."""

    def __init__(self, folder: TokenFolder) -> None:
        self._folder = folder
        self._markers = dict.fromkeys(SIDES, None) | self._read_markers()
        self._tokenizing = {side: self._tokenizing_of(side) for side in SIDES}
        self._skipped = self._read_skipped()
        self._expanding = self._read_expanding()

    @property
    def fingerprint(self) -> str:
        """A hex digest of the tokenizer."""
        return self._tokenizing["document"].fingerprint

    def refuse_beyond(self, rows: int) -> None:
        """Raises ModelError where a token's number is beyond a table of so many rows."""
        self._tokenizing["document"].refuse_beyond(rows, self._folder.configuration.path)

    @property
    def token_limit(self) -> int:
        """The most tokens of a document input, without special tokens and the document prompt."""
        tokenizing, prompt = self._tokenizing["document"], self._folder.prompts["document"]
        taken = tokenizing.count(prompt) if prompt else 0
        return tokenizing.max_tokens - tokenizing.special_tokens - taken

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters; nothing is truncated."""
        return self._tokenizing["document"].spans(texts)

    def number_of(self, token: str) -> int | None:
        """The number of a token; None where the vocabulary lacks it."""
        return self._tokenizing["document"].number_of(token)

    def of(self, texts: Sequence[str], side: Side, counts: EncodingReport) -> Iterator[TokenInput]:
        """The input of each text, behind the side's prompt. counts: gets what was cut and replaced."""
        for start in range(0, len(texts), BLOCK):
            block = []
            for text in texts[start : start + BLOCK]:
                whole, replaced = without_surrogates(text)
                counts.surrogates += replaced
                block.append(self._folder.prompts[side] + whole)
            for position, tokenized in enumerate(self._tokenizing[side].tokens(block), start):
                if tokenized.lost:
                    counts.cut[position] = tokenized.lost
                made = self._input(tokenized.ids, side, tokenized.lost)
                counts.texts += 1
                counts.tokens += len(made.ids)
                yield made

    def _input(self, ids: list[int], side: Side, lost: int) -> TokenInput:
        marker = self._markers[side]
        if marker is not None:
            ids = [*ids[:1], marker, *ids[1:]]
        attended = len(ids)
        if side == "query" and (expansion := self._folder.expansion) is not None:
            ids = ids + [self._expanding] * (expansion.length - len(ids))
            attended = len(ids) if expansion.attends else attended
        kept = np.ones(len(ids), dtype=np.bool_)
        if side in self._folder.skipped_sides and len(self._skipped):
            kept = ~np.isin(ids, self._skipped)
        if self._folder.drops_first:
            kept[0] = False
        return TokenInput(ids, attended, kept, lost)

    def _tokenizing_of(self, side: Side) -> Tokenizing:
        folder = self._folder
        length = folder.lengths[side]
        if side == "query" and folder.expansion is not None:
            length = folder.expansion.length if folder.expansion.cuts else max(length, folder.expansion.length)
        length -= self._markers[side] is not None
        return Tokenizing(folder.transformer, length, lower_case=folder.lower_case)

    def _read_markers(self) -> dict[Side, int | None]:
        if not any(self._folder.markers.values()):
            return {}
        tokenizing = Tokenizing(self._folder.transformer, self._folder.lengths["document"])
        found: dict[Side, int | None] = {}
        for side, marker in self._folder.markers.items():
            numbers = [tokenizing.number_of(each) for each in (marker, marker.strip()) if each]
            found[side] = next((number for number in numbers if number is not None), None)
            if marker and found[side] is None:
                raise ModelError(
                    f"{self._folder.path}: the {side} prefix {marker!r} is no token of the tokenizer, so its vector "
                    "was never saved; save the model with its tokenizer again"
                )
        return found

    def _read_skipped(self) -> NDArray[np.int64]:
        tokenizing = self._tokenizing["document"]
        unknown = tokenizing.unknown
        numbers = [tokenizing.number_of(word) for word in self._folder.skipped]
        found = [number for number in numbers if number is not None and number != unknown]
        return np.array(found, np.int64)

    def _read_expanding(self) -> int:
        """The number of the token that queries are filled up with; 0 where they are not."""
        expansion = self._folder.expansion
        if expansion is None:
            return 0
        named = [expansion.token] if expansion.token is not None else []
        if not named:
            for field in ("mask_token", "eos_token", "pad_token"):
                named += special_tokens(self._folder.transformer, field)
        numbers = [self._tokenizing["query"].number_of(token) for token in named]
        found = next((number for number in numbers if number is not None), None)
        if found is None:
            raise ModelError(
                f"{self._folder.path}: queries are expanded by {' or '.join(named) or 'a mask token'}, which the "
                "tokenizer lacks"
            )
        return found


def special_tokens(folder: Path, field: str) -> list[str]:
    """What the files beside a tokenizer call a special token, as "mask_token"; none, one, or two that may differ."""
    found = []
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        value = Configuration.read_if_there(folder / name).values.get(field)
        found += [value if isinstance(value, str) else value["content"]] if value else []
    return found
