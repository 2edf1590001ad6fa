"""`hadron`, the command: the only place that reads the environment and ends the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from hadron.cli.app import command
from hadron.cli.exits import Exit
from hadron.cli.output import say
from hadron.errors import HadronError, SettingsError, TransientError


def main() -> None:
    """Run the command line of this process and end it with one of `hadron.cli.exits.Exit`."""
    sys.exit(run(sys.argv[1:], os.environ))


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code. Our own errors are sentences on stderr."""
    try:
        command().main(list(arguments), prog_name="hadron", obj=environ)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except SettingsError as error:
        return _failed(Exit.SETTINGS, *error.problems)
    except TransientError as error:
        return _failed(Exit.UNREACHABLE, str(error))
    except HadronError as error:
        return _failed(Exit.FAILED, str(error))
    return Exit.OK


def _failed(code: Exit, *lines: str) -> int:
    for line in lines:
        say(f"hadron: {line}")
    return code


if __name__ == "__main__":
    main()
