"""Searching: candidates from an index → exact scores from stored vectors → hits."""
