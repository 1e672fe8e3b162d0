"""Searching: how a query runs: candidates from an index, exact scores from stored vectors, hits."""
