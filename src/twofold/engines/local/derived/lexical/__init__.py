"""The lexical index of a collection: kept up by writers, opened for searches."""
