"""Each thing is said once, until it is over."""

from __future__ import annotations

from hadron.audit.alerts import Alert, Alerts, Said
from hadron.audit.facts import AlertCleared, AlertRaised, Severity

DATABASE = "archive/database"


def said(at_ns: int, severity: Severity | None = "critical", subject: str = DATABASE) -> Said:
    return Said("archive", subject, f"at {at_ns}", at_ns, severity)


def told(alerts: Alerts, *what: Said) -> list[Alert]:
    """What is appended for each, taken as the log gives it back."""
    found = []
    for one in what:
        fact = alerts.follows(one, partition=1)
        if fact is not None:
            alerts.take(fact)
            found.append(fact)
    return found


def test_an_alert_is_raised_once_and_cleared_once_as_often_as_it_happens() -> None:
    bad, good = [said(n) for n in (1, 2, 5, 6)], [said(n, None) for n in (3, 4, 7)]

    facts = told(Alerts(), *bad[:2], *good[:2], *bad[2:], good[2])

    assert [(type(fact), fact.at_ns) for fact in facts] == [
        (AlertRaised, 1),
        (AlertCleared, 3),
        (AlertRaised, 5),
        (AlertCleared, 7),
    ]


def test_what_was_never_raised_is_not_cleared() -> None:
    assert told(Alerts(), said(1, None)) == []


def test_an_end_has_the_severity_of_what_it_ends() -> None:
    [_, end] = told(Alerts(), said(1, "warning"), said(2, None))

    assert (end.severity, end.subject) == ("warning", DATABASE)


def test_who_tells_of_an_outage_that_another_told_of_says_nothing_new() -> None:
    alerts = Alerts()
    told(alerts, said(10), said(20, None))

    assert told(alerts, said(11), said(12, None)) == []


def test_an_alert_is_named_by_who_said_it_and_when() -> None:
    [fact] = told(Alerts(), said(7))

    assert (fact.source, fact.partition, fact.offset, fact.index) == ("process/archive", 1, 7, 0)


def test_what_is_raised_and_not_over_is_known() -> None:
    alerts = Alerts()
    others = said(3, subject="latest/redis"), said(4, subject="kafka")
    told(alerts, said(1), *others, said(5, None, "latest/redis"))

    assert [alert.subject for alert in alerts.raised()] == ["kafka", DATABASE]
