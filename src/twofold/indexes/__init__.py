"""Indexes: vectors → neighbours. FAISS is a guest here and nowhere else."""
