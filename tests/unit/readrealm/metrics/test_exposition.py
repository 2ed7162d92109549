from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.parser import text_string_to_metric_families

from readrealm.metrics.exposition import merge, render, render_presence


def registry(messages: int) -> CollectorRegistry:
    made = CollectorRegistry()
    counter = Counter("messages", "Said.", ["outcome"], registry=made)
    counter.labels("kept").inc(messages)
    Gauge("rooms", "Open.", registry=made).set(2)
    return made


def samples(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["worker"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_every_figure_bears_the_name_of_its_worker() -> None:
    text = render(registry(3), worker_id="w1xa")

    assert samples(text) == {("messages_total", "w1xa"): 3, ("rooms", "w1xa"): 2}
    assert 'outcome="kept"' in text


def test_the_figures_of_several_workers_are_one_text_that_prometheus_reads() -> None:
    texts = [render(registry(count), worker_id=f"w{count}x") for count in (3, 4)]

    merged = merge([render_presence({"w3x": True, "w4x": True, "w5x": False}), *texts])

    assert samples(merged) == {
        ("readrealm_worker_up", "w3x"): 1,
        ("readrealm_worker_up", "w4x"): 1,
        ("readrealm_worker_up", "w5x"): 0,
        ("messages_total", "w3x"): 3,
        ("messages_total", "w4x"): 4,
        ("rooms", "w3x"): 2,
        ("rooms", "w4x"): 2,
    }
    heads = [line for line in merged.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))


def test_samples_of_one_figure_stand_together() -> None:
    texts = [render(registry(count), worker_id=f"w{count}x") for count in (3, 4)]

    names = [
        line.partition("{")[0] for line in merge(texts).splitlines() if not line.startswith("#")
    ]

    assert [name for name in names if name == "messages_total"] == ["messages_total"] * 2
    first = names.index("messages_total")
    assert names[first + 1] == "messages_total"
