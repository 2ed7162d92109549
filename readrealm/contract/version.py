"""The version of the published contract."""

CONTRACT_VERSION = "1.0.0"
"""Semantic: the first number moves when something goes away, the second when something comes."""
