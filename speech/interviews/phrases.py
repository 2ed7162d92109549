"""Figures of an interview in words that people use. Pure."""

ENDED_BY = {
    "silence": "by silence",
    "hand": "by you",
    "stop": "by finishing the interview",
    "time_limit": "by the time limit",
    "disconnected": "by a lost connection",
}
"""What ended a turn, behind "ended"."""

REASONS = {
    "completed": "All questions were asked.",
    "time_limit": "The time was up.",
    "stopped": "You finished it.",
    "disconnected": "The connection was lost, and what was there by then was kept.",
}
"""How an interview came to its end."""

ENGINES = {
    "captions": "captions or writing of the browser",
    "pocketsphinx": "the small recogniser on this server (pocketsphinx)",
}
"""Engines with a name that says little; others speak for themselves."""

_LONG_S = 600
"""Seconds do not matter any more."""


def clock(seconds: float) -> str:
    """``75.2`` as ``1:15``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """``75.2`` as ``1 minute 15 seconds``; from ten minutes on without the seconds."""
    whole = max(0, round(seconds))
    if whole >= _LONG_S:
        return counted(round(whole / 60), "minute")
    minutes, rest = divmod(whole, 60)
    parts = [counted(minutes, "minute")] if minutes else []
    if rest or not minutes:
        parts.append(counted(rest, "second"))
    return " ".join(parts)


def share_of_time(part_s: float, whole_s: float) -> str:
    """``13 of 21 minutes``; ``49 seconds of 1 minute 38 seconds`` where seconds matter."""
    if part_s >= _LONG_S:
        return f"{round(part_s / 60)} of {duration(whole_s)}"
    return f"{duration(part_s)} of {duration(whole_s)}"


def counted(number: int, noun: str) -> str:
    """``1 word``, ``2 words``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def times(number: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def percent(share: float) -> str:
    """``0.724`` as ``72 %``, with a space that does not break."""
    return f"{round(100 * share)}\u00a0%"


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; nothing for no names."""
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def engines(names: list[str]) -> str:
    """What heard the answers, as `listed`."""
    return listed([ENGINES.get(name, name) for name in names])
