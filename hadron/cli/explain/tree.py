"""A story as a tree in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rich.text import Text
from rich.tree import Tree

from hadron.audit.story import Share, Step
from hadron.cli.explain.words import prices, said, time
from hadron.desk.facts import IntentApproved, IntentRejected
from hadron.market.facts import RawReceived
from hadron.strategy.facts import DecisionMade
from hadron.values import digits


def tree_of(story: Step) -> Tree:
    """What a fact says, under it what it rests on and what it came from, then what followed."""
    tree = Tree(_label(story))
    _grow(tree, story)
    return tree


def _grow(tree: Tree, step: Step) -> None:
    for line in _evidence(step):
        tree.add(line)
    for cause in step.causes:
        _grow(tree.add(_label(cause, "because: ")), cause)
    for effect in step.effects:
        _grow(tree.add(_label(effect, "then: ")), effect)


def _label(step: Step, how: str = "") -> Text:
    label = Text()
    label.append(how, "dim")
    label.append(_what(step), "bold")
    label.append(f"\n{step.place}", "cyan")
    if step.found == "log":
        label.append("  on the log, not in the archive", "yellow")
    if step.content_hash:
        label.append(f"  sha256 {step.content_hash}", "dim")
    return label


def _what(step: Step) -> str:
    match step.fact:
        case None:
            return "not stored" if step.found == "nowhere" else "cannot be read"
        case RawReceived() as raw:
            return f"{said(raw)}\n{repr(raw.payload) if step.frame is None else step.frame}"
        case fact:
            return said(fact)


def _evidence(step: Step) -> Iterator[Text]:
    fact = step.fact
    match fact:
        case IntentApproved() | IntentRejected():
            yield from _pairs("limit", fact.limits.items())
            yield from (_share(share) for share in step.shares)
        case DecisionMade():
            yield Text(f"saw {prices(fact)}, quality {fact.quality}, at {time(fact.at_ns)}")
            yield from _pairs("evidence", fact.evidence.items())
            yield from _pairs("metadata", fact.metadata.items())


def _pairs(what: str, entries: Iterable[tuple[str, str]]) -> Iterator[Text]:
    return (Text(f"{what} {name}: {value}") for name, value in entries)


def _share(share: Share) -> Text:
    asked = f"{share.side} {digits(Decimal(share.quantity))}"
    return Text(f"share of {share.strategy}: {asked}, {share.decision}")
