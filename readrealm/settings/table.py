"""Every variable of the environment that ReadRealm reads: the table of the README.

Only names and words stand here and in the two tables; `readrealm.settings.env` reads and judges
the values.
"""

from readrealm.settings.setting import Setting
from readrealm.settings.site_table import SITE
from readrealm.settings.voice_table import ENGINE, INTERVIEWS, SESSIONS, TALK

SETTINGS: tuple[Setting, ...] = (*SITE, *ENGINE, *TALK, *SESSIONS, *INTERVIEWS)


def as_markdown() -> str:
    """The table for the README."""
    rows = ["| variable | default | meaning | allowed |", "|---|---|---|---|"]
    for setting in SETTINGS:
        names = ", ".join(f"`{name}`" for name in (setting.name, *setting.also))
        rows.append(f"| {names} | {setting.default} | {setting.meaning} | {setting.allowed} |")
    return "\n".join(rows) + "\n"
