"""What trading bars costs, by the names of the exchange's models."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from hadron.errors import SettingsError

WANTED_FEES = "none, per-share:0.005 or percent:0.1"
WANTED_SLIPPAGE = "none or percent:0.02"


class Costs(msgspec.Struct, frozen=True):
    """Of each fill, in the currency of the price. The default costs nothing."""

    fee_per_unit: float = 0.0
    fee_rate: float = 0.0  # of quantity times price
    slippage_rate: float = 0.0  # of the price, always to the worse


def costs(fees: str, slippage: str) -> Costs:
    """As the options name them; `percent:1` is a hundredth. Raise SettingsError."""
    fee_kind, fee = _named("fees", fees, WANTED_FEES)
    slippage_kind, slip = _named("slippage", slippage, WANTED_SLIPPAGE)
    if fee_kind not in ("none", "per-share", "percent"):
        raise SettingsError([_wrong("fees", fees, WANTED_FEES)])
    if slippage_kind not in ("none", "percent") or slip >= 100:
        raise SettingsError([_wrong("slippage", slippage, WANTED_SLIPPAGE)])
    return Costs(
        fee_per_unit=float(fee) if fee_kind == "per-share" else 0.0,
        fee_rate=float(fee / 100) if fee_kind == "percent" else 0.0,
        slippage_rate=float(slip / 100),
    )


def _named(option: str, text: str, wanted: str) -> tuple[str, Decimal]:
    kind, colon, rest = text.partition(":")
    try:
        amount = Decimal(rest) if colon else Decimal(0)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or bool(colon) == (kind == "none"):
        raise SettingsError([_wrong(option, text, wanted)])
    return kind, amount


def _wrong(option: str, text: str, wanted: str) -> str:
    return f"--{option}: {text!r}; on bars wanted {wanted}"
