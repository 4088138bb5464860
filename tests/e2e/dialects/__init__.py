"""Clients of each dialect, for the matrix of dialects."""
