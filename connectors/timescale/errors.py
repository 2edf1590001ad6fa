"""psycopg's errors, turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from hadron.errors import ContractError, HadronError, TransientError

REFUSALS = (psycopg.DataError, errors.CheckViolation, errors.NotNullViolation)


@contextmanager
def our_errors() -> Iterator[None]:
    """TransientError: try again. ContractError: the rows. HadronError: database or its schema."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise TransientError(f"database: {sentence(error)}") from error
    except REFUSALS as error:
        raise ContractError(f"database: {sentence(error)}") from error
    except (errors.UndefinedTable, errors.UndefinedColumn) as error:
        raise HadronError(f"database: {sentence(error)}; run `hadron migrate`") from error
    except psycopg.Error as error:
        raise HadronError(f"database: {sentence(error)}") from error


def sentence(error: psycopg.Error) -> str:
    """What the server or the client says, in one line."""
    return error.diag.message_primary or " ".join(str(error).split())
