"""The errors of Hadron, and what to do about each.

HadronError
├── SettingsError          a setting is missing or wrong          tell the operator, do not start
├── RequestRefused         what is asked cannot be, or not now    tell who asked, go on
├── ContractError          a record does not fit its schema       dead-letter it
├── StoodStill             others do our work by now              stop, and say no more
├── TransientError         the outside world is unwell            retry it
└── ImpossibleTransition   the log contradicts itself             stop
    └── PoisonLimitReached too many records cannot be read        stop, before the topic drains
"""


class HadronError(Exception):
    """Whatever Hadron raises on purpose."""


class SettingsError(HadronError):
    """One sentence a line: which setting, the value seen (never a secret's), the value wanted."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RequestRefused(HadronError):
    """Which setting of what was asked, the value seen, and what is wanted."""

    def __init__(self, setting: str, value: str, wanted: str) -> None:
        super().__init__(f"{setting}: {value}; wanted {wanted}")
        self.setting = setting
        self.value = value
        self.wanted = wanted


class ContractError(HadronError):
    """The bytes are not what their contract says. `record` is a short printable excerpt."""

    def __init__(self, message: str, *, record: bytes = b"") -> None:
        super().__init__(message)
        self.record = record[:200]


class StoodStill(HadronError):
    """A process did nothing for so long that others do its work now. It may not say more."""


class TransientError(HadronError):
    """It may work if it is tried again."""


class ImpossibleTransition(HadronError):
    """A fact on the log cannot follow from the facts before it."""


class PoisonLimitReached(ImpossibleTransition):
    """So many records were unreadable that the fault is ours, not the data's."""
