"""How FastAPI is bent to Zenith's contract: strict input, one kind of error, docs."""
