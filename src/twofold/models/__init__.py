"""Models: from a folder of weights to a compiled graph that turns tokens into vectors."""
