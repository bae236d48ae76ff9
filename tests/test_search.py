"""Search by words, from the folding to the index."""

import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.reader import Query, Reader
from app.models.search import Searchable
from app.search import matches, prefix_query, searchable, words
from tests.databases import Database, Databases

MANY = 20_000


class Base(DeclarativeBase):
    """Tables of these tests only."""


class Book(Searchable, Base):
    __tablename__ = "books"
    searched: ClassVar[tuple[str, ...]] = ("title", "author")

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str | None]
    pages: Mapped[int] = mapped_column(default=0)


FOUND = Query(
    select(Book.title).where(matches(Book.search_text)).order_by(Book.id), str
)
FOUND_BY_OTHER_NAME = Query(
    select(Book.title).where(matches(Book.search_text, name="other")), str
)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Ada Lovelace", ["ada", "lovelace"]),
            ("ada@example.com", ["ada", "example", "com"]),
            ("12e5 a1-b2_c3", ["12e5", "a1", "b2", "c3"]),
            ("Ünïcôdé", ["unicode"]),
            ("u\u0308ber", ["uber"]),
            ("STRASSE Straße", ["strasse", "strasse"]),
            ("İstanbul", ["istanbul"]),
            ("Łódź Øre Đorđe Œuvre", ["lodz", "ore", "dorde", "oeuvre"]),
            ("ΣΊΣΥΦΟΣ σίσυφος", ["σισυφοσ", "σισυφοσ"]),
            ("ﬁne ② ½", ["fine", "2", "1", "2"]),
            ("東京 kyōto", ["東京", "kyoto"]),
            ("'; DROP -- :* & | ! \\", ["drop"]),
            ("", []),
            (" \0\t\u2028 .,;", []),
        ],
    )
    def test_are_letters_and_digits_folded(
        self, text: str, expected: list[str]
    ) -> None:
        assert words(text) == expected

    def test_have_a_bound(self) -> None:
        assert words("x" * 5000) == ["x" * 100]


class TestSearchable:
    def test_holds_each_word_of_all_texts_once(self) -> None:
        assert searchable("Ada Ada", "ada@b.c") == "ada b c"

    def test_is_empty_without_words(self) -> None:
        assert searchable("", "...") == ""


class TestPrefixQuery:
    def test_asks_for_every_word(self) -> None:
        assert prefix_query("Lovelace ADA") == "'ada':* & 'lovelace':*"

    def test_leaves_out_what_another_word_implies(self) -> None:
        assert prefix_query("a ad ada b adam a") == "'adam':* & 'b':*"

    def test_is_empty_without_words(self) -> None:
        assert prefix_query("?!") == ""


@pytest.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh(migrated=False) as database:
        yield database


@pytest.fixture(scope="module")
async def owner(
    database: Database,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    url = database.owner_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
    await engine.dispose()


@pytest.fixture(scope="module")
async def reader(database: Database) -> AsyncIterator[Reader]:
    reader = Reader(database.owner_url, pool_size=2)
    await reader.open()
    yield reader
    await reader.close()


@pytest.fixture(scope="module")
async def books(session: AsyncSession) -> AsyncSession:
    session.add_all(
        [
            Book(id=1, title="Notes on the Analytical Engine", author="Ada Lovelace"),
            Book(id=2, title="12e5 ways; don't", author="Zoë Łuków"),
            Book(id=3, title="Anonymous", author=None),
        ]
    )
    await session.commit()
    return session


@pytest.mark.usefixtures("books")
class TestMatches:
    @pytest.mark.parametrize(
        ("q", "ids"),
        [
            ("ada", [1]),
            ("LOVE eng", [1]),
            ("eng LOVE ada not", [1]),
            ("velace", []),
            ("ada zoe", []),
            ("an", [1, 3]),
            ("zoe", [2]),
            ("luk", [2]),
            ("12e", [2]),
            ("don't", [2]),
            ("12e5 ' \\ :* & | ! ( ) <->", [2]),
            ("the", [1]),
            ("x" * 5000, []),
            (" ".join(map(str, range(100))), []),
            ("", []),
            ("...", []),
            ("' OR 1=1 --", []),
        ],
    )
    async def test_finds_rows_with_a_word_for_each_beginning(
        self, reader: Reader, books: AsyncSession, q: str, ids: list[int]
    ) -> None:
        titles = [(await books.get_one(Book, number)).title for number in ids]
        assert await reader.all(FOUND, q=q) == titles
        assert len(await reader.all(FOUND_BY_OTHER_NAME, other=q)) == len(titles)

    async def test_means_the_same_in_a_session(self, books: AsyncSession) -> None:
        statement = select(Book.id).where(matches(Book.search_text))
        assert list(await books.scalars(statement, {"q": "Ada LOVE"})) == [1]
        assert list(await books.scalars(statement, {"q": "."})) == []


class TestSearchableRow:
    async def test_is_filled_when_its_fields_change(
        self, books: AsyncSession, reader: Reader
    ) -> None:
        book = Book(id=10, title="Old", author="Someone")
        books.add(book)
        await books.commit()
        assert await reader.all(FOUND, q="old some") == ["Old"]
        book.title = "Renamed"
        await books.commit()
        assert await reader.all(FOUND, q="old") == []
        assert await reader.all(FOUND, q="renamed some") == ["Renamed"]

    async def test_stays_as_it_is_with_other_changes(
        self, books: AsyncSession, owner: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        book = Book(id=11, title="Constant", author=None)
        books.add(book)
        await books.commit()
        await owner.execute("UPDATE books SET search_text = 'kept' WHERE id = 11")
        book.pages = 7
        await books.commit()
        text = await owner.fetchval("SELECT search_text FROM books WHERE id = 11")
        assert text == "kept"


def nodes(plan: dict[str, Any]) -> list[str]:
    inner = [name for child in plan.get("Plans", []) for name in nodes(child)]
    return [plan["Node Type"], plan.get("Index Name", ""), *inner]


class TestIndex:
    @pytest.mark.usefixtures("books")
    async def test_is_used(self, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
        await owner.execute(
            "INSERT INTO books (id, title, pages, search_text)"
            " SELECT n, 'x', 0, 'some' || n || ' words' || n % 100"
            f" FROM generate_series(1000, {1000 + MANY}) n"
        )
        await owner.execute("VACUUM ANALYZE books")
        query = Query(select(Book.id).where(matches(Book.search_text)), int)
        sql, arguments = query.sql, query.arguments({"q": "some1234 words"})
        plan = json.loads(
            await owner.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
        )
        assert "ix_books_search_text" in nodes(plan[0]["Plan"])
        assert "Seq Scan" not in nodes(plan[0]["Plan"])

    def test_is_there_with_the_column(self) -> None:
        (index,) = Base.metadata.tables["books"].indexes
        assert index.name == "ix_books_search_text"
