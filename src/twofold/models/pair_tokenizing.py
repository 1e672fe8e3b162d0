"""Pairs of question and document → tokens, as the model's own tokenizer puts them together.

A pair that is too long loses tokens of its document, never of its question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from twofold.errors import ModelError, QueryError
from twofold.models.chat_template import PairTemplate
from twofold.models.configuration import Configuration
from twofold.models.tokenizing import Tokenizing

DOUBLE_END = ("Roberta", "XLMRoberta", "MPNet")
"""Classes of tokenizers that end a question twice before its document."""
SINGLE_END = ("Bert", "DistilBert")
TYPED = ("Bert", "")
"""Classes whose inputs have token types unless model_input_names says otherwise."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """One pair as tokens. ids: with special tokens, after cutting. second: how many of the first tokens are of type 0;
    the others are of type 1. lost: tokens of the document that were cut off.
    """

    ids: list[int]
    second: int
    lost: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a tokenizer puts a pair together: the special tokens before, between and after its two texts.

    typed: whether the tokens have types. zeros: how many of those between are of type 0.
    """

    before: list[int]
    between: list[int]
    after: list[int]
    typed: bool
    zeros: int

    @property
    def count(self) -> int:
        """Special tokens in all."""
        return len(self.before) + len(self.between) + len(self.after)


class PairTokenizing(Tokenizing):
    """A model's tokenizer for pairs, cutting at a length. template: the texts around a pair, where a chat template
    says so. Raises ModelError as `Tokenizing` does, and for a tokenizer that puts pairs together in an unknown way.
    """

    def __init__(
        self, folder: Path, max_tokens: int, *, lower_case: bool = False, template: PairTemplate | None = None
    ) -> None:
        super().__init__(folder, max_tokens, lower_case=lower_case)
        self._template = template
        self._layout = self._checked_layout(folder)

    @property
    def typed(self) -> bool:
        """Whether the tokens of a pair's second text are of type 1."""
        return self._template is None and self._layout.typed

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> Iterator[TokenPair]:
        """Each (question, document) as tokens. The texts hold no lone surrogates (see `without_surrogates`).

        Raises QueryError for a question that leaves no room for its document.
        """
        if self._template is not None:
            yield from self._asked(pairs, self._template)
            return
        questions, layout = list(dict.fromkeys(question for question, _ in pairs)), self._layout
        encode = self._whole.encode_batch_fast
        known = {
            text: encoding.ids
            for text, encoding in zip(questions, encode(questions, add_special_tokens=False), strict=True)
        }
        documents = encode([document for _, document in pairs], add_special_tokens=False)
        for (question, _), encoded in zip(pairs, documents, strict=True):
            asked, document = known[question], encoded.ids
            room = self._room(len(document), len(asked) + layout.count)
            kept = document[max(0, len(document) - room) :] if self._cut_side == "left" else document[:room]
            ids = [*layout.before, *asked, *layout.between, *kept, *layout.after]
            second = len(layout.before) + len(asked) + layout.zeros if layout.typed else len(ids)
            yield TokenPair(ids, second, len(document) - len(kept))

    def _asked(self, pairs: Sequence[tuple[str, str]], template: PairTemplate) -> Iterator[TokenPair]:
        parts = [template.parts(*pair) for pair in pairs]
        wholes = self._whole.encode_batch(["".join(each) for each in parts], add_special_tokens=False)
        for each, whole in zip(parts, wholes, strict=True):
            end = sum(map(len, each[:4]))
            start = end - len(each[3])
            inside = [place for place, (first, last) in enumerate(whole.offsets) if start <= first and last <= end]
            room = self._room(len(inside), len(whole.ids) - len(inside))
            cut = set(inside[room:])
            ids = [token for place, token in enumerate(whole.ids) if place not in cut]
            yield TokenPair(ids, len(ids), len(cut))

    def _room(self, document: int, others: int) -> int:
        """The tokens that are left for a document of so many, beside those of the question and around it."""
        room = self.max_tokens - others
        if room < min(1, document):
            raise QueryError(
                f"the question takes {others:,} tokens with what stands around it, and the cross-encoder reads "
                f"{self.max_tokens:,} with the document; ask a shorter question"
            )
        return max(room, 0)

    def _checked_layout(self, folder: Path) -> Layout:
        """Raises ModelError for a pair that is put together in another way than its tokenizer's class does."""
        said, path = Configuration.read_if_there(folder / "tokenizer_config.json"), folder / "tokenizer.json"
        names = said.values.get("model_input_names")
        whole = self._whole.encode("a", "b")
        places = [2 if owner is None else owner for owner in whole.sequence_ids]
        if 0 not in places or 1 not in places[places.index(0) :] or 0 in places[places.index(1) :]:
            raise ModelError(f"{path}: it puts a pair together in an order that is not known")
        first, last = places.index(0), len(places) - 1 - places[::-1].index(1)
        middle = [place for place in range(first, last) if places[place] == 2]
        typed = (self._kind in TYPED if names is None else "token_type_ids" in names) and 1 in whole.type_ids
        if typed and whole.type_ids != sorted(whole.type_ids):
            raise ModelError(f"{path}: token types that go back to 0 within a pair are not known")
        layout = Layout(
            whole.ids[:first],
            [whole.ids[place] for place in middle],
            whole.ids[last + 1 :],
            typed,
            sum(whole.type_ids[place] == 0 for place in middle),
        )
        ends = {**dict.fromkeys(DOUBLE_END, 2), **dict.fromkeys(SINGLE_END, 1)}.get(self._kind)
        if ends is not None and (layout.between != layout.after * ends or len(layout.after) != 1):
            raise ModelError(
                f"{path}: the post_processor puts a pair together in another way than {self._kind}Tokenizer does, "
                "which tokenizer_config.json names; save the tokenizer again"
            )
        return layout
