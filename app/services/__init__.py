"""Use cases, each for one actor in one transaction."""
