"""Tuning: measures engines on held-out questions and gives back a choice with its evidence; opens no collection."""
