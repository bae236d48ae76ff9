"""Bodies of the API."""
