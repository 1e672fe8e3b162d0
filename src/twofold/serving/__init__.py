"""Serving collections: an HTTP API, a page, and tools for agents; and the client of that API."""
