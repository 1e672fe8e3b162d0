"""Rankers: a query and the texts that were found for it → scores, from reading both together."""
