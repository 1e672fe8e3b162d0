"""Engines: where a collection lives. Each is a package of its own and implements twofold.engine.Engine."""
