"""Other vector stores on disk, read by their own packages: entries with their texts, metadata and vectors."""
