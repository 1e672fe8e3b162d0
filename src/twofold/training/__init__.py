"""Training: pairs or judgements → a better encoder for this collection, with the measured gain.

A package of floor 7. torch, sentence-transformers, datasets and accelerate are imported inside functions, most of them
in `fitting.py`; the other files prepare data, mine negatives, split, evaluate and write the model card.
"""
