"""Readers: files → documents, queries, judgements, runs and pairs, one at a time.

A package of floor 2. `reading.read` reads documents of every format; each other file reads one kind of content.
"""
