"""Readers: files that people hold → documents, queries, judgements, runs and pairs, one after the other.

A room of floor 2. `reading.read` is the one door for documents; each other file reads one kind of thing.
"""
