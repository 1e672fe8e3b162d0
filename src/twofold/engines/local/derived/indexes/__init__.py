"""The index of a space: chosen by measuring, kept as the collection grows, opened for searches."""
