"""Slugs: names as they stand in URLs."""

from slugify import slugify

NAMELESS = "organization"


def slug_of(name: str, *, most: int) -> str:
    """Write a name of any script in ASCII letters, digits and single hyphens."""
    return slugify(name, max_length=most, word_boundary=True) or NAMELESS
