"""The server says how each of its parts is, and never waits for one of them for long."""

import asyncio
from collections.abc import Mapping

import pytest

from domain.errors import BrokerUnavailableError, StorageUnavailableError
from domain.services.health import CheckHealth, ComponentHealth, Probe
from tests.fakes import FakeClock


async def silent() -> str | None:
    await asyncio.Event().wait()
    return "never said"


def check(probes: Mapping[str, Probe], clock: FakeClock | None = None) -> CheckHealth:
    return CheckHealth(
        probes=probes, clock=clock or FakeClock(), version="1.2.3", started=0.0, patience=0.05
    )


async def test_a_part_that_answers_is_ok_with_the_time_it_took() -> None:
    clock = FakeClock(automatic=True)

    async def slow() -> str | None:
        await clock.sleep(0.25)
        return "somewhere:1883"

    health = await check({"broker": slow}, clock)()
    assert (health.status, health.version) == ("ok", "1.2.3")
    assert health.components == (
        ComponentHealth(name="broker", status="ok", latency_ms=250.0, detail="somewhere:1883"),
    )


async def test_it_knows_since_when_it_runs() -> None:
    clock = FakeClock()
    await clock.advance(90.9)
    assert (await check({}, clock)()).uptime_seconds == 90


@pytest.mark.parametrize("error", [StorageUnavailableError, BrokerUnavailableError])
async def test_one_part_that_is_down_degrades_the_whole_and_says_why(
    error: type[Exception],
) -> None:
    async def down() -> str | None:
        raise error("gone fishing")

    async def well() -> str | None:
        return None

    health = await check({"database": well, "other": down})()
    assert health.status == "degraded"
    assert [(part.name, part.status, part.detail) for part in health.components] == [
        ("database", "ok", None),
        ("other", "down", "gone fishing"),
    ]
    assert health.components[1].latency_ms is None


async def test_parts_that_say_nothing_are_waited_for_together_and_not_for_long() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    health = await check({f"part{number}": silent for number in range(20)})()
    assert loop.time() - begun < 20 * 0.05
    assert health.status == "degraded"
    assert {part.detail for part in health.components} == {"no answer within 0.05 s"}
