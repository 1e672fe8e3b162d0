"""Encoders: texts in, vectors out, with a query side and a document side."""
