"""Measurements: ratios within one run, never bounds that a test asserts."""
