"""Passages: how a document becomes the texts that get a vector each. Knows no tokeniser, only the `Tokens` protocol."""
