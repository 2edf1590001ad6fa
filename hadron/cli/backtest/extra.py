"""numpy and plotly come with an extra: only backtests on bars and reports need them."""

from __future__ import annotations

from importlib.util import find_spec

from hadron.errors import HadronError


def demand(*modules: str) -> None:
    """Raise HadronError, naming the extra, where one of these is not installed."""
    for module in modules or ("numpy",):
        if find_spec(module) is None:
            raise HadronError(f"{module} is not installed; install hadron-platform[backtest]")
