"""How one variable of the environment is explained."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable, as the README explains it and as a refusal quotes it."""

    name: str
    default: str
    meaning: str
    allowed: str
    also: tuple[str, ...] = ()
    """Other spellings, looked up when ``name`` is not set."""
