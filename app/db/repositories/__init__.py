"""Queries, by resource. Nothing here commits: the edge does."""
