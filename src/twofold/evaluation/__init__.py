"""Evaluation: how good rankings are, by the measures of the field, with intervals over queries.

A room of floor 2. ir_measures is a guest of `measures.py`; `evaluating.evaluate` asks any floor-1 Searcher.
"""
