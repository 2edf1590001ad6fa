"""Deterministic simulation of faults: the real code on a simulated Kafka, from one seed.

`python -m tests.simulation --seed N` replays one run and prints what happened in it.
"""
