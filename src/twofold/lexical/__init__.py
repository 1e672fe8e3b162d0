"""Terms → BM25 scores of documents, on tantivy."""
