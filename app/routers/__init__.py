"""HTTP: an endpoint is one call and a docstring, which is its text in OpenAPI."""
