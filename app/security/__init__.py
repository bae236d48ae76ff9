"""Secrets, keys, tokens and passwords."""
