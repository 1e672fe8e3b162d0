"""`twofold models`: the encoders that can be named, and what each is good for."""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import TYPE_CHECKING

from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json, print_line, visible

if TYPE_CHECKING:
    from twofold.models.listing import ListedModel

HEADINGS = {
    "embedded": "embedded: needs no network",
    "cached": "in the hub's cache",
    "hub": "known: fetched from the hub when first loaded",
}


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command(
        subparsers,
        "models",
        run,
        does="list the encoders that are embedded, cached or known, and what each is good for",
        examples=("twofold models", "twofold models --json"),
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the models by where they are."""
    from twofold.models.listing import list_models

    models = list_models()
    if arguments.json:
        print_json({"models": [model.to_json() for model in models]})
        return 0
    for place, those in groupby(models, lambda model: model.place):
        print_line(HEADINGS[place])
        for model in those:
            for line in _lines(model):
                print_line(line)
        print_line()
    print_line("Load one by its name: --encoder NAME. Any model folder of a kind that is read works as well.")
    return 0


def _lines(model: ListedModel) -> list[str]:
    facts = [
        f"{model.dimension} numbers" if model.dimension else "",
        f"{model.max_tokens:,} tokens" if model.max_tokens else "",
        model.languages,
        model.licence,
        f"--dim {model.shortest} or more" if model.shortest else "",
    ]
    prompts = (("query", model.query_prompt), ("document", model.document_prompt))
    asked = ", ".join(f"{side} {prompt!r}" for side, prompt in prompts if prompt)
    said = [
        ", ".join(filter(None, facts)),
        f"good for: {model.good_for}" if model.good_for else "",
        f"prompts: {asked}" if asked else "",
        f"cannot be loaded as it is: {model.problem}" if model.problem else "",
    ]
    return [f"  {visible(model.name)}", *(f"    {visible(line)}" for line in said if line)]
