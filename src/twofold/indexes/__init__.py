"""Indexes: vectors → neighbours. The only package that uses FAISS."""
