"""Benches: Twofold and its peers timed on this machine; every bench returns a Report of tables as data."""
