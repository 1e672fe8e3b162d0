"""Spaces: vectors in segment files, and the exact search of them."""
