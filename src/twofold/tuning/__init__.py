"""Tuning: measures on held-out questions and returns a choice with its evidence; opens no collection."""
