"""The local engine: a collection's folder, and the only code that writes inside it.

Documents are stored in a SQLite catalogue, vectors in append-only segment files; docs/formats.md describes every byte.
Use it through `engine.Store`: `Store.create`, `Store.open`, then `writing()` for a writer and `snapshot()` for a
reader.
"""
