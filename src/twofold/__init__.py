"""Twofold: bi-encoder retrieval."""
