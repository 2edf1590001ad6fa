"""How much of the best Sharpe ratio of many trials is luck."""

from __future__ import annotations

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist, variance

import msgspec
import numpy as np

from hadron.market.bars import Floats

EULER = 0.5772156649015329
_normal = NormalDist()


class Moments(msgspec.Struct, frozen=True):
    """Of daily returns: the Sharpe ratio of a day, skewness, kurtosis (3 is the normal one)."""

    days: int
    sharpe: float
    skew: float
    kurtosis: float


def moments(returns: Floats | None) -> Moments | None:
    """None of less than three days, or where returns do not vary."""
    if returns is None or len(returns) < 3:
        return None
    apart = returns - returns.mean()
    deviation = float(np.sqrt(np.square(apart).mean()))
    if deviation <= 0:
        return None
    scaled = apart / deviation
    return Moments(
        days=len(returns),
        sharpe=float(returns.mean() / returns.std(ddof=1)),
        skew=float((scaled**3).mean()),
        kurtosis=float((scaled**4).mean()),
    )


def deflated_sharpe(best: Moments, sharpes: Sequence[float]) -> float | None:
    """The probability that the best of these trials has a true Sharpe ratio above 0.

    By the deflated Sharpe ratio of Bailey and Lopez de Prado (2014), all trials taken for
    independent, which makes it careful. None for less than two trials.
    """
    if len(sharpes) < 2:
        return None
    hurdle = sqrt(variance(sharpes)) * highest_of(len(sharpes))
    spread = 1 - best.skew * best.sharpe + (best.kurtosis - 1) / 4 * best.sharpe**2
    if spread <= 0:
        return None
    return _normal.cdf((best.sharpe - hurdle) * sqrt(best.days - 1) / sqrt(spread))


def highest_of(trials: int) -> float:
    """The highest of so many draws from the standard normal distribution, as it is expected."""
    first, second = (_normal.inv_cdf(1 - 1 / n) for n in (trials, trials * e))
    return (1 - EULER) * first + EULER * second
