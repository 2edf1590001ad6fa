"""The codec: every fact comes back as it went, and bad bytes are a ContractError."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.names import name_of
from hadron.errors import ContractError
from tests.support import a_decision, a_fill, a_quote, a_raw, a_trade, an_approved_intent, codec


@pytest.mark.parametrize(
    "fact",
    [a_raw(b'{"p": 1}'), a_trade("1.50"), a_quote(), a_decision(), an_approved_intent(), a_fill()],
    ids=lambda fact: type(fact).__name__,
)
def test_a_fact_comes_back_as_it_went(fact: object) -> None:
    assert codec().decode(codec().encode(fact)) == fact


@pytest.mark.parametrize(
    "fact",
    [a_trade("1.50"), a_decision(offset=7, index=2), an_approved_intent(), a_fill()],
    ids=lambda fact: type(fact).__name__,
)
def test_a_name_is_read_as_the_whole_fact_has_it(fact: object) -> None:
    assert codec().name(codec().encode(fact)) == name_of(fact)


@given(st.binary(max_size=64))
def test_bytes_have_a_name_or_are_a_contract_error(value: bytes) -> None:
    with suppress(ContractError):
        codec().name(codec().encode(a_decision())[:5] + value)


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_but_a_contract_error(value: bytes) -> None:
    with suppress(ContractError):
        codec().decode(value)


def test_a_fact_that_does_not_fit_its_contract_is_refused() -> None:
    with pytest.raises(ContractError, match="TradePrinted"):
        codec().encode(msgspec.structs.replace(a_trade(), price="not a number"))


@given(st.lists(st.sampled_from([a_raw(b"{}"), a_trade("1.50"), a_quote(), a_decision()])))
def test_many_facts_come_back_as_one_by_one(facts: list[object]) -> None:
    values = [codec().encode(fact) for fact in facts]

    assert codec().decode_many(values) == facts


LONGS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-70, 70))
RAWS = st.builds(
    lambda frame, seen_ns, payload: msgspec.structs.replace(
        a_raw(payload), frame=frame, seen_ns=seen_ns
    ),
    LONGS,
    LONGS,
    st.binary(max_size=200),
)
TRADES = st.builds(
    lambda price, offset: msgspec.structs.replace(a_trade("1.50"), price=price, raw_offset=offset),
    LONGS,
    LONGS,
)
QUOTES = st.builds(
    lambda bid, size: msgspec.structs.replace(a_quote(), bid=bid, ask_size=size), LONGS, LONGS
)


@given(st.lists(st.one_of(RAWS, TRADES, QUOTES, st.just(a_decision())), max_size=30))
def test_many_facts_are_written_as_one_by_one(facts: list[object]) -> None:
    assert codec().encode_many(facts) == [codec().encode(fact) for fact in facts]


@pytest.mark.parametrize("seen_ns", [2**63, -(2**63) - 1, 1.5, "1", None])
@pytest.mark.parametrize("fact", [a_raw(b"{}"), a_trade("1.50"), a_quote()])
def test_a_fact_among_many_that_does_not_fit_its_contract_is_refused(
    fact: msgspec.Struct, seen_ns: object
) -> None:
    unfit = msgspec.structs.replace(fact, seen_ns=seen_ns)
    with pytest.raises(ContractError, match=type(fact).__name__):
        codec().encode_many([fact, fact, unfit, fact])


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=4), st.integers(0, 3))
def test_a_bad_record_among_many_is_a_contract_error_or_harmless(
    bodies: list[bytes], place: int
) -> None:
    # given good trades with a corrupted one among them
    good = codec().encode(a_trade())
    values = [good, good, good]
    values[place % 3] = good[:5] + b"".join(bodies)

    # when they are decoded together, then it is refused or each is what it is alone
    try:
        facts = codec().decode_many(values)
    except ContractError:
        return
    assert facts == [codec().decode(value) for value in values]


OTHERS = [
    (a_raw(b'{"p": 1}', frame=70), a_raw(b"{}", frame=71)),
    (a_trade("1.50", raw_offset=70), a_trade("1.50", raw_offset=71)),
    (a_quote(raw_offset=70), a_quote(raw_offset=71)),
]


@pytest.mark.parametrize(("fact", "other"), OTHERS)
def test_a_record_that_is_too_short_is_refused_though_the_next_has_what_it_lacks(
    fact: object, other: object
) -> None:
    """One after the other they have the bytes of two whole records."""
    value = codec().encode(fact)
    repeated = _repeated(value, codec().encode(other))
    for lacking in range(1, len(value) - repeated):
        longer = value[:repeated] + value[-lacking:] + value[repeated:]

        with pytest.raises(ContractError):
            codec().decode_many([value, value[:-lacking], longer, value])


@pytest.mark.parametrize(("fact", "other"), OTHERS)
def test_so_is_one_that_is_too_long_by_what_the_next_lacks(fact: object, other: object) -> None:
    value = codec().encode(fact)
    repeated = _repeated(value, codec().encode(other))
    for more in range(1, len(value) - repeated):
        longer = value + value[repeated : repeated + more]

        with pytest.raises(ContractError):
            codec().decode_many([longer, value[:repeated] + value[repeated + more :]])


def _repeated(value: bytes, other: bytes) -> int:
    """How many bytes the repeated fields take, of records that differ in the next one."""
    return next(at for at, (one, two) in enumerate(zip(value, other, strict=False)) if one != two)
