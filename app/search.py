"""Search by words: each word of the query begins a word of the text.

Case and accents are folded here, and words are split here, for what is stored and for
what is asked. PostgreSQL's own parsers would split ``12e5`` or an address in a way
that no prefix of it finds again, and its folding needs an extension.
"""

import re
import unicodedata
from itertools import zip_longest
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Index,
    SQLColumnExpression,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.types import TypeEngine
from typing_extensions import override

MAX_WORD = 100  # characters; PostgreSQL takes lexemes of 2,046 bytes

_WORD = re.compile(r"[^\W_]+")

# Letters that carry their stroke or their shape as a part, which no normal form parts.
_PLAIN = str.maketrans(
    {
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00f8": "o",
        "\u0142": "l",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00fe": "th",
        "\u0127": "h",
        "\u0167": "t",
        "\u0131": "i",
    }
)


def words(text: str) -> list[str]:
    """Split a text into its letters and digits, folded as they are compared."""
    return [word[:MAX_WORD] for word in _WORD.findall(_fold(text))]


def searchable(*texts: str) -> str:
    """Return what is stored of the texts to be found by: their words, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in words(text)))


def prefix_query(text: str) -> str:
    """Write a ``tsquery`` for texts that have a word for each of these beginnings.

    Without a letter or digit it is the empty query, which matches nothing. Beginnings
    of other ones are left out: so the parts of an index that are read never overlap,
    and no query costs more than one walk through it.
    """
    found = sorted(set(words(text)))
    longest = [
        word
        for word, following in zip_longest(found, found[1:], fillvalue="")
        if not following.startswith(word)
    ]
    # A word has neither quotes nor backslashes.
    return " & ".join(f"'{word}':*" for word in longest)


def matches(
    column: SQLColumnExpression[str], *, name: str = "q"
) -> ColumnElement[bool]:
    """Look for the words of the parameter ``name`` in a column of `searchable` text."""
    query = cast(bindparam(name, type_=_PrefixQuery), TSQUERY)
    return _lexemes(column).bool_op("@@")(query)


def search_index(name: str, column: SQLColumnExpression[str]) -> Index:
    """Make the index that `matches` uses."""
    return Index(name, _lexemes(column), postgresql_using="gin")


def _lexemes(column: SQLColumnExpression[str]) -> ColumnElement[Any]:
    # The space is no parameter: an index is used for the same expression only.
    return func.array_to_tsvector(func.string_to_array(column, literal_column("' '")))


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    # Folding the case can compose anew, as of U+0130.
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))


class _PrefixQuery(TypeDecorator[str]):
    """Takes what somebody typed, and gives the database a query."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else prefix_query(value)
