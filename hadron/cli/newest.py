"""`hadron query prices` and `position`: the newest, from Redis where it has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.environment import database_url, settings_of
from hadron.errors import SettingsError

if TYPE_CHECKING:
    from connectors.redis.cache import Answer
    from connectors.redis.documents import Book, Position, Price
    from hadron.settings import Settings

T = TypeVar("T")

NoCache = Annotated[bool, typer.Option("--no-cache", help="Ask the database, and not Redis.")]


class Quoted(msgspec.Struct, frozen=True):
    """The newest trade and the top of the book; None where nobody knows one."""

    instrument: str
    price: Answer[Price] | None
    book: Answer[Book] | None


def prices(
    context: typer.Context,
    instrument: Annotated[
        list[str], typer.Option(help="Which instrument, as eq:AAPL; may be repeated.")
    ],
    no_cache: NoCache = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest trade and the top of the book of instruments, and where each was found."""
    from connectors.redis.documents import BOOK, PRICE, Book, Price
    from connectors.timescale.querying import newest

    settings = settings_of(context, directory)

    def traded(keys: Sequence[str]) -> Mapping[str, Price]:
        names = [key.removeprefix(PRICE) for key in keys]
        found = newest.trades(database_url(settings), names, Price)
        return {PRICE + one.instrument: one for one in found}

    def quoted(keys: Sequence[str]) -> Mapping[str, Book]:
        names = [key.removeprefix(BOOK) for key in keys]
        found = newest.quotes(database_url(settings), names, Book)
        return {BOOK + one.instrument: one for one in found}

    names = list(dict.fromkeys(instrument))
    known = _answers(settings, [PRICE + n for n in names], Price, traded, no_cache)
    books = _answers(settings, [BOOK + n for n in names], Book, quoted, no_cache)
    found = [Quoted(n, known.get(PRICE + n), books.get(BOOK + n)) for n in names]
    columns = ("instrument", "last", "size", "found", "bid", "bid_size", "ask", "ask_size", "found")
    output.show(found, output.table("", columns, map(_row, found)), as_json=json)


def position(
    context: typer.Context,
    portfolio: Annotated[str, typer.Option(help="Of which portfolio.")],
    strategy: Annotated[str, typer.Option(help="Of which strategy.")],
    instrument: Annotated[str, typer.Option(help="Which instrument, as eq:AAPL.")],
    no_cache: NoCache = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show one position, and where it was found."""
    from connectors.redis.documents import POSITION, Position
    from connectors.timescale.querying import newest

    settings, holder = settings_of(context, directory), (portfolio, strategy, instrument)
    key = POSITION + "/".join(holder)

    def held(_: Sequence[str]) -> Mapping[str, Position]:
        found = newest.position(database_url(settings), holder, Position)
        return {key: found[0]} if found else {}

    answers = list(_answers(settings, [key], Position, held, no_cache).values())
    columns = [name for name in Position.__struct_fields__ if not name.startswith("log_")]
    rows = [[*(getattr(a.document, name) for name in columns), a.found] for a in answers]
    output.show(answers, output.table("", [*columns, "found"], rows), as_json=json)


def _answers(
    settings: Settings,
    keys: Sequence[str],
    kind: type[T],
    ask: Callable[[Sequence[str]], Mapping[str, T]],
    no_cache: bool,
) -> Mapping[str, Answer[T]]:
    from connectors.redis.cache import Answer, Cache
    from connectors.redis.store import store_of
    from connectors.telemetry.metrics import PrometheusTelemetry

    try:
        store = None if no_cache else store_of(settings)
    except SettingsError:
        store = None  # no Redis is known: the database is the source in any case
    if store is None:
        return {key: Answer(document, "database") for key, document in ask(keys).items()}
    try:
        cache = Cache(store, PrometheusTelemetry(), ttl_s=settings.cache_ttl_s)
        return cache.answers(keys, kind, ask)
    finally:
        store.close()


def _row(one: Quoted) -> Sequence[object]:
    last, book = one.price and one.price.document, one.book and one.book.document
    return (
        one.instrument,
        *((last.last, last.size) if last else (None, None)),
        one.price and one.price.found,
        *((book.bid, book.bid_size, book.ask, book.ask_size) if book else (None,) * 4),
        one.book and one.book.found,
    )
