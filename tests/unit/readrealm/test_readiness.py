import asyncio

from readrealm.readiness import Probe, examine


async def answers():
    return None


async def fails():
    raise ConnectionRefusedError("10.0.0.7 said no to user root")


async def hangs():
    await asyncio.Event().wait()


async def test_what_answers_is_ready():
    (finding,) = await examine([Probe("store", 1, answers)])

    assert finding.is_ready
    assert finding.reason is None


async def test_what_fails_is_named_without_its_details():
    (finding,) = await examine([Probe("store", 1, fails)])

    assert not finding.is_ready
    assert finding.reason == "ConnectionRefusedError"


async def test_what_hangs_is_given_up_at_its_deadline():
    async with asyncio.timeout(5):
        findings = await examine([Probe("one", 0.05, hangs), Probe("two", 0.05, answers)])

    assert [(finding.name, finding.is_ready) for finding in findings] == [
        ("one", False),
        ("two", True),
    ]
    assert findings[0].reason == "no answer within 0.05 s"
    assert findings[0].took_ms >= 50


async def test_all_are_asked_at_the_same_time():
    met = asyncio.Barrier(3)

    findings = await examine([Probe(name, 5, met.wait) for name in "abc"])

    assert all(finding.is_ready for finding in findings)
