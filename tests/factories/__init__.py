"""Rows and bodies to start a test from; each is valid and unlike all others."""
