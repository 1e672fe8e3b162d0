"""Benchmarks: Twofold and other libraries timed on this machine; each returns a Report of tables as data."""
