"""The engine of collections in PostgreSQL with pgvector: a schema a collection, a commit a transaction.

Documents, vectors and lexical index are rows of its tables; the server proposes candidates, and the functions that
score in the local engine score here. `engine.PostgresEngine` is the door.
"""
