"""Evaluation: the quality of rankings by the field's measures, with intervals over queries, and paired comparisons.

A package of floor 2. Only `measures.py` uses ir_measures; scipy is used by `significance.py` and
`shares.py`. `evaluating.evaluate` measures any Searcher, `comparing.compare` tests several against
one.
"""
