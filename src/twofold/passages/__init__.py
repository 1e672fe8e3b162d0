"""Passages: how a document becomes the texts that get a vector each. It uses no tokeniser, only the `TokenSpans`
protocol.
"""
