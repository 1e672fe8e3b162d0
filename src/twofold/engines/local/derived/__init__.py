"""Derived data: built aside, measured, published by one rename; the predecessor serves until then."""
