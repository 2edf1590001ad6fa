"""psycopg's errors, turned into ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from hadron.errors import ContractError, HadronError, TransientError

# libpq has no code for what a server says before it lets anyone in.
_ROLE_MISSING = re.compile(r'FATAL: .*role "[^"]*" does not exist')
_UNMIGRATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)
REFUSALS = (psycopg.DataError, errors.CheckViolation, errors.NotNullViolation)


@contextmanager
def our_errors() -> Iterator[None]:
    """TransientError: try again. ContractError: the rows. HadronError: database or its schema."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        if _ROLE_MISSING.search(str(error)):
            raise HadronError(f"database: {sentence(error)}; run `hadron migrate`") from error
        raise TransientError(f"database: {sentence(error)}") from error
    except REFUSALS as error:
        raise ContractError(f"database: {sentence(error)}") from error
    except _UNMIGRATED as error:
        raise HadronError(f"database: {sentence(error)}; run `hadron migrate`") from error
    except psycopg.Error as error:
        raise HadronError(f"database: {sentence(error)}") from error


def sentence(error: psycopg.Error) -> str:
    """What the server or the client says, in one line."""
    return error.diag.message_primary or " ".join(str(error).split())
