"""Evaluation: how good rankings are, by the measures of the field, with intervals over queries, and which is better.

A room of floor 2. ir_measures is a guest of `measures.py`, scipy of `significance.py`; `evaluating.evaluate` asks any
floor-1 Searcher, `comparing.compare` holds several against one.
"""
