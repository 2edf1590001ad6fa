"""The clock of this machine, against those of the servers."""

from __future__ import annotations

from hadron.cli.checks.finding import Finding, error, sound, warning

# Latency is measured between machines, and bars close by time.
WARNING_S = 0.25
ERROR_S = 2.0


def agreement(server: str, *, server_ns: int, before_ns: int, after_ns: int) -> Finding:
    """The server's time lies between ours before and after asking, give or take a little."""
    ahead_ns = max(before_ns - server_ns, 0) - max(server_ns - after_ns, 0)
    off_s = abs(ahead_ns) / 1e9
    check = f"clock against {server}"
    seen = f"{off_s:.3f} s {'ahead of' if ahead_ns > 0 else 'behind'} {server}"
    remedy = f"synchronise the clocks of this machine and of {server} by NTP (chrony)"
    if off_s > ERROR_S:
        return error(check, seen, wanted=f"{ERROR_S:g} s at most", remedy=remedy)
    if off_s > WARNING_S:
        return warning(check, seen, wanted=f"{WARNING_S:g} s at most", remedy=remedy)
    return sound(check, f"agrees within {max(after_ns - before_ns, 0) / 1e9 + off_s:.3f} s")
