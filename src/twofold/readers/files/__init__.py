"""Files that are documents: each module extracts the text of one kind, with its structure as Markdown headings."""
