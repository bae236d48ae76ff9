"""Passwords that an attacker tries first (NIST SP 800-63B-4, 3.1.1.2)."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

MIN_DISTINCT = 4  # characters; fewer is a repetition, however long
MIN_REST = 5  # letters and digits that must be left beside the words of the context
MIN_WORD = 3  # a shorter word says nothing about who chose the password


def weakness(password: str, *, context: Iterable[str]) -> str | None:
    """Say why a password is easy to guess, or return None.

    ``context`` is what an attacker knows already: address, name, service.
    """
    folded = _fold(password)
    if folded in common_passwords():
        return "This password is one of the most common ones."
    if len(set(folded)) < MIN_DISTINCT:
        return "This password repeats a few characters."
    rest = folded
    for word in sorted(_words(context), key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != folded and sum(c.isalnum() for c in rest) < MIN_REST:
        return (
            "This password is made of your name, your address or this service's name."
        )
    return None


@cache
def common_passwords() -> frozenset[str]:
    """Load some 30,000 passwords that were found most often in public leaks."""
    from zxcvbn.frequency_lists import (  # noqa: PLC0415 - takes long, once needed
        FREQUENCY_LISTS,
    )

    return frozenset(FREQUENCY_LISTS["passwords"])


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _words(texts: Iterable[str]) -> set[str]:
    """Split texts into words, and keep each text whole as well."""
    folded = [_fold(text) for text in texts]
    parts = [word for text in folded for word in re.split(r"[\W_]+", text)]
    return {word for word in (*folded, *parts) if len(word) >= MIN_WORD}
