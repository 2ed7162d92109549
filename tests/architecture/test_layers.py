"""The shape of the house, as tests: who may import whom, and what the drawings promise."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from readrealm.kernel import errors

ROOT = Path(__file__).parents[2]
IO_MODULES = {
    "asyncio",
    "channels",
    "django",
    "mongoengine",
    "pymongo",
    "redis",
    "socket",
    "socketio",
    "threading",
}
PURE_CHAT = (
    *("rules.py", "ports.py", "services.py", "presence.py"),
    *("sanctions.py", "moderation.py", "reports.py"),
)
PURE_ROUTES = (
    *("sessions.py", "audio.py", "config.py", "system.py", "reports.py"),
    *("configuration.py", "ordering.py", "pipeline.py", "envelope.py"),
    *("work_events.py", "fields.py"),
)
PURE_INTERVIEWS = (
    "announcements.py",
    "contract.py",
    "contradiction.py",
    "course.py",
    "curveballs.py",
    "effects.py",
    "evaluation.py",
    "events.py",
    "fluency.py",
    "interview.py",
    "knowledge.py",
    "metrics.py",
    "microphone.py",
    "negation.py",
    "outcome.py",
    "owners.py",
    "procedure.py",
    "questions.py",
    "report.py",
    "services.py",
    "similarity.py",
    "state.py",
    "steering.py",
    "terms.py",
    "timeline.py",
    "timers.py",
    "transcription.py",
    "turn.py",
    "wording.py",
)
PURE = [
    *sorted((ROOT / "readrealm/kernel").glob("*.py")),
    *sorted((ROOT / "speech/audio").glob("*.py")),
    *sorted(ROOT.glob("*/events.py")),
    *sorted(ROOT.glob("speech/*/events.py")),
    *(ROOT / "chat" / name for name in PURE_CHAT),
    *(ROOT / "speech/routes" / name for name in PURE_ROUTES),
    *(ROOT / "speech/interviews" / name for name in PURE_INTERVIEWS),
]
PROMISE_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}


def imported(path: Path) -> set[str]:
    """Top-level names of everything a module imports, without relative imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_decides_without_waiting_imports_nothing_that_waits(path: Path) -> None:
    assert not imported(path) & IO_MODULES


def test_the_import_contracts_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert result.returncode == 0, result.stdout


def test_the_drawn_error_tree_is_the_real_one() -> None:
    drawn = {
        line.split("*")[1].split("--")[0].strip()
        for line in (errors.__doc__ or "").splitlines()
        if "* " in line
    }
    real = {
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, errors.AppError)
    }

    assert drawn == real


def test_every_file_name_promises_something() -> None:
    apps = ("readrealm", "chat", "speech")
    sources = [path for app in apps for path in (ROOT / app).rglob("*.py")]

    vague = [path for path in sources if path.stem in PROMISE_NOTHING]

    assert vague == []


def test_git_is_told_what_is_not_ours() -> None:
    """Nothing that is installed or made at run time can be committed by accident."""
    git = shutil.which("git")
    assert git is not None
    names = [".venv/x", ".venv-dev/x", "node_modules/x", "var/x"]

    ignored = subprocess.run(
        [git, "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, timeout=20
    )

    assert ignored.stdout.split() == names
