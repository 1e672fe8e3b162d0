"""Evaluation: the quality of rankings by the field's measures, with intervals over queries, and paired comparisons.

A package of floor 2. Only `measures.py` uses ir_measures; scipy is used by the statistics (`significance.py`,
`shares.py`, `correlations.py`). `evaluating.evaluate` measures any Searcher, `comparing.compare` tests several against
one.
"""
