"""Texts → tokens, as the model's own tokenizer cuts them.

What tokenizer.json says of truncation and padding is set aside: the length comes from the model's configuration, and
batches are padded elsewhere. Lone surrogates, which no tokenizer takes, become U+FFFD and are counted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase
from tokenizers.normalizers import Sequence as NormalizerSequence

from twofold.errors import ModelError
from twofold.models.familiarity import unfamiliar_share
from twofold.models.tokenizer_files import read_tokenizer, tokenizer_alone
from twofold.values import without_surrogates

PARALLEL = "TOKENIZERS_PARALLELISM"
"""What the library asks its environment before each batch."""


PIECE = 50_000
"""Characters of a text that are read as tokens at once where only the places of these are asked for, at most."""
AT_ONCE = 400_000
"""Characters that are read together."""


@dataclass(frozen=True, slots=True)
class Tokenized:
    """One text as tokens. ids: with special tokens, after cutting. lost: tokens cut off."""

    ids: list[int]
    lost: int


class Tokenizing:
    """A model's tokenizer, cutting at a length. max_tokens: the longest input, special tokens included.

    lower_case: whether texts are lower-cased before anything else. alone: whether tokenizer.json counts without the
    files beside it, and without special tokens. Raises ModelError where the folder has none.
    """

    def __init__(self, folder: Path, max_tokens: int, *, lower_case: bool = False, alone: bool = False) -> None:
        files = tokenizer_alone(folder) if alone else read_tokenizer(folder)
        self._adds_special = not alone
        self._json = files.json
        self._lower_case = lower_case
        self._cut_side = files.cut_side
        self._kind = files.kind
        self.max_tokens = max_tokens
        self._cutting = self._make()
        self.special_tokens: int = 0 if alone else self._cutting.num_special_tokens_to_add(False)
        if max_tokens <= self.special_tokens:
            raise ModelError(
                f"{folder}: max_seq_length {max_tokens} leaves no token beside {self.special_tokens} special tokens"
            )
        self._cutting.enable_truncation(max_tokens, direction=files.cut_side)

    def tokens(self, texts: Sequence[str]) -> list[Tokenized]:
        """Each text as token ids. The texts hold no lone surrogates (see `without_surrogates`)."""
        encodings = self._cutting.encode_batch_fast(texts, add_special_tokens=self._adds_special)
        return [Tokenized(encoding.ids, self._lost(encoding.overflowing)) for encoding in encodings]

    def placed(self, texts: Sequence[str]) -> list[tuple[Tokenized, NDArray[np.int32]]]:
        """Each text as token ids, and int32 (ids, 2): start and end of each in characters, -1 for special tokens.

        The texts hold no lone surrogates.
        """
        encodings = self._cutting.encode_batch(texts, add_special_tokens=self._adds_special)
        found = []
        for encoding in encodings:
            spans = np.full((len(encoding.ids), 2), -1, dtype=np.int32)
            own = np.array(encoding.special_tokens_mask) == 0
            spans[own] = _ascending(np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)[own])
            found.append((Tokenized(encoding.ids, self._lost(encoding.overflowing)), spans))
        return found

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each of its tokens in characters; nothing is cut."""
        return spans_of(self._whole, texts)

    def unfamiliar(self, texts: Sequence[str]) -> float:
        """The share, from 0 to 1, of the texts' letters that the tokenizer has no words or syllables for."""
        whole = [without_surrogates(text)[0] for text in texts]
        return unfamiliar_share(whole, self._whole.encode_batch(whole, add_special_tokens=False), self.unknown)

    def count(self, text: str) -> int:
        """How many tokens a text is, special tokens not counted; nothing is cut."""
        return len(self._whole.encode(text, add_special_tokens=False).ids)

    def prefix(self, prompt: str) -> int:
        """How many tokens a prompt takes at the head of an input, special tokens before it included."""
        encoding = self._whole.encode(prompt, add_special_tokens=self._adds_special)
        return len(encoding.ids) - int(encoding.special_tokens_mask[-1])

    def number_of(self, token: str) -> int | None:
        """The number of a token; None where the vocabulary lacks it."""
        number: int | None = self._whole.token_to_id(token)
        return number

    def refuse_beyond(self, rows: int, path: Path) -> None:
        """Raises ModelError where a token's number is beyond a table of so many rows. path: what says how many."""
        token, number = max(self._whole.get_vocab().items(), key=lambda each: each[1])
        if number >= rows:
            raise ModelError(
                f"{path}: the table of tokens has {rows} rows, and the tokenizer gives {token!r} the number {number}; "
                "resize the model's embeddings to its tokenizer, and save both"
            )

    @cached_property
    def vocabulary(self) -> list[str]:
        """The tokens by their number; "" where a number has none."""
        numbers = self._whole.get_vocab()
        tokens = [""] * (max(numbers.values()) + 1)
        for token, number in numbers.items():
            tokens[number] = token
        return tokens

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of everything that determines the tokens, but for the length."""
        content = json.loads(self._json)
        content.pop("truncation", None)
        content.pop("padding", None)
        cut = ["left"] if self._cut_side == "left" else []
        canonical = json.dumps([content, self._lower_case, *cut], sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()

    @cached_property
    def _whole(self) -> Tokenizer:
        """A second tokenizer that never cuts; a tokenizer's truncation cannot be set for one call."""
        return self._make()

    @cached_property
    def unknown(self) -> int | None:
        """The number of the token for what the tokenizer does not know; None where it knows everything."""
        model = json.loads(self._json)["model"]
        number, token = model.get("unk_id"), model.get("unk_token")
        return int(number) if number is not None else None if token is None else self._whole.token_to_id(token)

    def _make(self) -> Tokenizer:
        tokenizer = never_cutting(self._json)
        if self._lower_case:
            after = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
            tokenizer.normalizer = NormalizerSequence([Lowercase(), *after])
        return tokenizer

    def _lost(self, overflowing: Sequence[Any]) -> int:
        return sum(len(part.ids) - self.special_tokens for part in overflowing)


def never_cutting(json: str) -> Tokenizer:
    """The tokenizer that a JSON text describes, without truncation and padding."""
    tokenizer = Tokenizer.from_str(json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def spans_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[NDArray[np.int32]]:
    """For each text int32 (tokens, 2): start and end of each of its tokens in characters, by one that never cuts.

    They ascend: where several tokens are one character's bytes, or a mark before it, the last of them holds it.
    """
    # What the library makes of a text takes some hundred bytes a token, so a long one is read in pieces.
    found: list[NDArray[np.int32]] = []
    opens: list[int] = []
    for block in _blocks(piece for text in texts for piece in _pieces(without_surrogates(text)[0])):
        encodings = tokenizer.encode_batch([text for _, text in block], add_special_tokens=False)
        for (start, _), encoding in zip(block, encodings, strict=True):
            if not start:
                opens.append(len(found))
            found.append(np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2) + np.int32(start))
    return [_ascending(np.concatenate(found[at:end])) for at, end in pairwise([*opens, len(found)])]


def _blocks(pieces: Iterator[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Pieces that are read together: at least one."""
    block: list[tuple[int, str]] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece[1])
        if size >= AT_ONCE:
            yield block
            block, size = [], 0
    if block:
        yield block


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The pieces in which a text is read, and where each begins: after the end of a line, else after a space."""
    start = 0
    while len(text) - start > PIECE:
        latest = start + PIECE
        ends = (text.rfind(sign, start + PIECE // 2, latest) for sign in ("\n", " "))
        end = next((end + 1 for end in ends if end >= 0), latest)
        yield start, text[start:end]
        start = end
    yield start, text[start:]


def _ascending(spans: NDArray[np.int32]) -> NDArray[np.int32]:
    """The spans without what the next ones hold as well."""
    starts = np.minimum.accumulate(spans[::-1, 0])[::-1]
    ends = np.minimum(spans[:, 1], np.append(starts[1:], spans[-1:, 1]))
    return np.stack([starts, ends], axis=1)


def _in_child() -> None:
    # The threads that tokenise stay in the parent, and a child would wait for them for ever.
    os.environ[PARALLEL] = "false"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
