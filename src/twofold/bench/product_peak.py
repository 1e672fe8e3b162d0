"""Where the time of encoding goes: by kind of operation, and beside the most products that the machine computes."""

from __future__ import annotations

from twofold.models.profiling import ROWS, WIDTH, linear_weights, product_peak, times_by_kind
from twofold.models.transformer import TransformerModel
from twofold.tables import Cell, Column, Table

SHOWN = 6
TOKENS = 256
"""Tokens of the text that is profiled; shorter where the model takes fewer."""


def profile(model: TransformerModel, most: int, rate: float) -> Table:
    """The shares of the time by kind of operation, and the share of the product peak at `rate` tokens a second.

    most: tokens that the model takes.
    """
    graph, settings = model.graph(), model.settings
    needed = 2 * linear_weights(graph)
    peak = product_peak(settings)
    times = times_by_kind(model, graph, settings, min(TOKENS, most))
    rows: list[tuple[Cell, ...]] = [
        (f"products of the linears, of the peak of {peak / 1e9:,.0f} GFLOP/s", 100 * rate * needed / peak)
    ]
    total = sum(times.values()) or 1.0
    rows += [(kind, 100 * seconds / total) for kind, seconds in times.most_common(SHOWN)]
    notes = (
        (
            f"the first row: {needed / 1e6:,.0f} million multiplications and additions a token, of the most that "
            f"products of ({ROWS}, {WIDTH}) with ({WIDTH}, {WIDTH}) reach here"
        ),
        f"the others: shares of the time of one text of {TOKENS} tokens at most, by OpenVINO's counters",
    )
    return Table(
        f"Where the time goes, {model.precision}", (Column("what"), Column("share", "%", 1)), tuple(rows), notes
    )
