"""Tests of the whole house; `python -m tests` runs them all."""

ALONE = "alone"
"""The mark of tests that measure time: nothing runs beside them."""
