"""The catalogue: documents, commits, filters, in one SQLite file."""
