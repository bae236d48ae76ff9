"""``zenith openapi``."""

import json

import typer


def openapi() -> None:
    """Print the OpenAPI document as JSON."""
    from app.main import create_app

    typer.echo(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))
