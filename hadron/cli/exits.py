"""What the exit codes mean. They are an interface: scripts rely on them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CHECK_FAILED = 3
    SETTINGS = 4
    UNREACHABLE = 5
    INTERRUPTED = 130


MEANING = {
    Exit.OK: "ok",
    Exit.FAILED: "failed",
    Exit.USAGE: "the command line is wrong",
    Exit.CHECK_FAILED: "a check failed: doctor found errors, topics differ, an accounting or a"
    " comparison does not hold, what is stored was changed",
    Exit.SETTINGS: "a setting is missing or wrong",
    Exit.UNREACHABLE: "something outside cannot be reached; try again",
    Exit.INTERRUPTED: "interrupted",
}
