"""Training: pairs or judgements in, a better encoder for this collection out, and honestly by how much.

A room of floor 7. torch, sentence-transformers, datasets and accelerate are guests of `fitting.py` and imported inside
its functions; everything else here is data, negatives, splits, evaluation and the model card.
"""
