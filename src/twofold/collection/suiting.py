"""Whether an encoder suits the texts of a collection: it does not where its tokenizer hardly knows their writing."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.collection.guarding import GuardedEncoder
from twofold.documents import Document
from twofold.lexical.guessing import main_script
from twofold.models.known_models import MULTILINGUAL

TEXTS, CHARACTERS = 20, 400
"""So many texts are looked at, and so many characters of each: 20 ms, less than a batch takes to be encoded."""
MOSTLY = 0.5
"""The share of unfamiliar letters above which an encoder does not suit texts. That of the embedded all-MiniLM-L6-v2:
English 0 to .03 (with code and drug names), German .05, French .04 to .07, Finnish .09, Turkish .16, Vietnamese .17,
Polish .18; Greek .84 to .94, Ukrainian .89, Russian .92; Arabic, Hebrew, Chinese, Japanese, Korean, Thai, Hindi, Tamil
.99 to 1.
"""
FEWEST_LETTERS = 20
"""With fewer letters nothing is said: a name in another script says nothing about a collection."""


def unsuited(encoder: GuardedEncoder, documents: Sequence[Document]) -> str:
    """Why an encoder does not suit documents, and which models would, in words; empty where it does."""
    every = max(len(documents) // TEXTS, 1)
    texts = [f"{document.title} {document.text[:CHARACTERS]}" for document in documents[::every][:TEXTS]]
    if sum(map(str.isalpha, "".join(texts))) < FEWEST_LETTERS:
        return ""
    share = encoder.unfamiliar(texts)
    if not share > MOSTLY:
        return ""
    return (
        f"the texts are mostly {main_script(texts) or 'of another script'}, which the encoder hardly knows: for "
        f"{share:.0%} of their letters its tokenizer has no words, so dense search finds little. Models of many "
        f"languages: {', '.join(MULTILINGUAL)}. Lexical search needs no encoder"
    )
