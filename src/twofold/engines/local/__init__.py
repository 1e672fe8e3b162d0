"""The local engine: a collection's folder, and the only code that writes inside it.

Documents live in a SQLite catalogue, vectors in append-only segment files beside it; docs/formats.md says every byte.
`engine.Store` is the door: `Store.create`, `Store.open`, then `writing()` for a Writer and `snapshot()` for a reader.
"""
