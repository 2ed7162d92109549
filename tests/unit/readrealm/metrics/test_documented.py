"""Every figure is in the operator's document, and every figure there exists."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from readrealm.metrics import figures  # noqa: F401  registers
from readrealm.metrics.exposition import render_presence
from readrealm.metrics.worker import WorkerCollector
from readrealm.observability import REGISTRY
from tests.unit.readrealm.metrics.test_worker import ROOMS, Bridge

DOCUMENT = Path(__file__).parents[4] / "docs" / "operations.md"


def test_figures_and_their_explanations_are_the_same() -> None:
    ours = CollectorRegistry()
    ours.register(WorkerCollector(bridge=Bridge, rooms=lambda: ROOMS, is_draining=lambda: False))
    families = [*REGISTRY.collect(), *ours.collect()]
    exist = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("readrealm_")
    }
    exist |= set(re.findall(r"^# TYPE (\S+)", render_presence({"w1": True}), re.M))

    explained = re.findall(r"^\| `(readrealm_\w+)` \|", DOCUMENT.read_text(), re.M)

    assert sorted(explained) == sorted(exist)
