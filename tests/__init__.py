"""Tests of the whole house; `python -m tests` runs them all."""

ALONE = "alone"
"""The mark of tests that measure time: nothing runs beside them."""

PACED = "paced"
"""The mark of tests that wait for fractions of a second, all protocol suites among them: they share
the processors only with each other."""
