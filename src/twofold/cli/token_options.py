"""The options that say which token vectors a collection keeps."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twofold.collection.token_space import TokenSettings

OWN = ""
"""--token-vectors without a name: the collection's own encoder."""


def add_token_options(group: Any) -> None:
    """--token-vectors, --token-bits and --token-pooling."""
    group.add_argument(
        "--token-vectors",
        metavar="MODEL",
        nargs="?",
        const=OWN,
        help="keep a vector for each token too, by which --rerank token-vectors ranks: of this model, a folder or a "
        "hub name (a ColBERT, or any encoder), or without a name of the collection's own encoder; a collection that "
        "is there gets those of its documents",
    )
    group.add_argument(
        "--token-bits", type=int, choices=[4, 2], metavar="N", help="bits a number of a token's vector: 4 or 2 (4)"
    )
    group.add_argument(
        "--token-pooling",
        type=float,
        metavar="X",
        help="merge the token vectors of a passage into so many times fewer (as the model's folder says)",
    )


def tokens_of(arguments: argparse.Namespace) -> TokenSettings | None:
    """The settings that the options ask for; None where they ask for none."""
    if arguments.token_vectors is None:
        for name in ("token_bits", "token_pooling"):
            if getattr(arguments, name) is not None:
                arguments.misuse(f"--{name.replace('_', '-')} goes with --token-vectors")
        return None
    from twofold.collection.token_space import TokenSettings

    bits = 4 if arguments.token_bits is None else arguments.token_bits
    return TokenSettings(arguments.token_vectors or None, bits, arguments.token_pooling)
