"""The outside world: what answers over a network and is not the database."""
