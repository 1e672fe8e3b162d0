"""Metadata and filters of every kind, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from twofold.filters import TRUNCATED

KEYS = [
    "id",
    "title",
    "year",
    "a",
    "b",
    "",
    "é",
    "x y",
    "[0]",
    "#",
    "$",
    'quo"te',
    "back\\slash",
    "line\nbreak",
    "nul\0",
    "'",
    "true",
]
NUMBERS = st.one_of(
    st.sampled_from(
        [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.0, 1.5, 0.1, 1e308, 5e-324, 2.0**53]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.one_of(
    st.sampled_from(
        ["", "1", "true", "null", "a", "A", "é", "e\u0301", "東京", "🙂", "a\0b", "a\0c", 'q"', "\\", "\n", "\x7f"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
OBJECTS = st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), SCALARS, max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)),
    max_leaves=6,
)
DOTTED = st.lists(st.sampled_from(["a", "b", ""]), min_size=2, max_size=3).map(".".join)
METADATA = st.dictionaries(st.sampled_from(KEYS) | DOTTED, VALUES, max_size=4)
FIELDS = st.one_of(
    st.sampled_from(KEYS), DOTTED, st.lists(st.sampled_from(KEYS), min_size=2, max_size=3).map(".".join)
).filter(lambda field: not field.startswith("$"))
OPERANDS = st.one_of(SCALARS, st.just(float("inf")), st.just(float("-inf")))
ORDERED = st.one_of(NUMBERS, TEXTS)
CONDITIONS = st.recursive(
    st.one_of(
        OPERANDS,
        st.fixed_dictionaries({}, optional={"$eq": OPERANDS, "$ne": OPERANDS, "$exists": st.booleans()}),
        st.fixed_dictionaries({}, optional=dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), ORDERED)),
        st.dictionaries(st.sampled_from(["$in", "$nin"]), st.lists(OPERANDS, max_size=5), max_size=2),
        st.fixed_dictionaries(
            {},
            optional={"$contains": OPERANDS, "$prefix": TEXTS, "$all": st.lists(OPERANDS, min_size=1, max_size=3)},
        ),
    ).filter(lambda condition: condition != {}),
    lambda inner: inner.filter(lambda condition: isinstance(condition, dict)).map(
        lambda condition: {"$not": condition}
    ),
    max_leaves=2,
)
WHERES = st.recursive(
    st.one_of(
        st.dictionaries(FIELDS, CONDITIONS, max_size=3),
        st.fixed_dictionaries(
            {TRUNCATED: st.one_of(SCALARS, st.sampled_from([{"$ne": True}, {"$exists": True}, {"$contains": True}]))}
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$or": parts}),
    ),
    max_leaves=4,
)
