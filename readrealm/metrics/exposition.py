"""The text that Prometheus reads (exposition format 0.0.4), of one worker and of several."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

WORKER = "worker"
"""The label that tells workers behind one port apart; sums leave it out."""


def render(registry: Collector, *, worker_id: str) -> str:
    """Every figure of a registry with the worker's name on it."""
    labelled = CollectorRegistry()
    labelled.register(_Labelled(registry, worker_id))
    return str(generate_latest(labelled).decode())


def render_presence(workers: dict[str, bool]) -> str:
    """Which workers answered."""
    family = GaugeMetricFamily(
        "readrealm_worker_up",
        "1 for a worker that told its figures in time, else 0.",
        labels=[WORKER],
    )
    for worker_id, is_up in sorted(workers.items()):
        family.add_metric([worker_id], is_up)
    registry = CollectorRegistry()
    registry.register(_Fixed([family]))
    return str(generate_latest(registry).decode())


def merge(texts: Iterable[str]) -> str:
    """Several texts as one: what belongs to one figure stands together, as the format asks."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for text in texts:
        name = ""
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name = line.split(" ", 3)[2]
                is_new = name not in heads
                heads.setdefault(name, [])
                samples.setdefault(name, [])
            if not line.startswith("#"):
                samples[name].append(line)
            elif is_new:
                heads[name].append(line)
    lines = [line for name in heads for line in (*heads[name], *samples[name])]
    return "\n".join(lines) + "\n"


class _Labelled(Collector):
    def __init__(self, registry: Collector, worker_id: str) -> None:
        self._registry, self._worker_id = registry, worker_id

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            named = Metric(family.name, family.documentation, family.type, family.unit)
            named.samples = [self._name(sample) for sample in family.samples]
            yield named

    def _name(self, sample: Sample) -> Sample:
        return sample._replace(labels={**sample.labels, WORKER: self._worker_id})


class _Fixed(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families
