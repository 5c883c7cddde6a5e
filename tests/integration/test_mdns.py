"""Devices are told where the broker is. Nothing leaves this computer: loopback is all there is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from app.clock import SystemClock
from app.mdns import INSTANCE, LOOK_EVERY, SERVICE, Announcer, announcer
from app.settings import load_settings
from tests.eventually import eventually
from tests.fakes import FakeClock, until

LOOPBACK = ("127.0.0.1",)
BROKER = "mqtt://127.0.0.1:1883"


def on_loopback(port: int) -> Announcer:
    return Announcer(
        addresses=lambda: LOOPBACK, port=port, interfaces=lambda: LOOPBACK, clock=SystemClock()
    )


@asynccontextmanager
async def running(announcer: Announcer) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(announcer.run())
        yield
        task.cancel()


async def look() -> AsyncServiceInfo | None:
    """Ask as a device would."""
    async with AsyncZeroconf(list(LOOPBACK), ip_version=IPVersion.V4Only) as browser:
        return await browser.async_get_service_info(SERVICE, INSTANCE, 500)


async def test_a_device_finds_the_broker_by_its_name_until_the_server_leaves() -> None:
    found: list[AsyncServiceInfo] = []

    async def is_found() -> bool:
        found.extend(info for info in [await look()] if info is not None)
        return bool(found)

    async def is_gone() -> bool:
        return await look() is None

    async with running(on_loopback(18_830)):
        await eventually(is_found, within=15)
    assert found[0].name == "god-kaiser._mqtt._tcp.local."
    assert found[0].port == 18_830
    assert found[0].parsed_addresses() == list(LOOPBACK)
    assert found[0].decoded_properties == {
        "version": "1.0",
        "protocol": "mqtt",
        "tls_port": "8883",
    }
    await eventually(is_gone, within=15)


async def test_without_a_network_it_tries_again_and_nothing_ends() -> None:
    clock = FakeClock(automatic=True)
    nowhere = Announcer(addresses=tuple, port=1, interfaces=tuple, clock=clock)
    with capture_logs() as lines:
        async with running(nowhere):
            await until(lambda: len(clock.slept) >= 3)
    assert clock.slept[:3] == [LOOK_EVERY] * 3
    assert {line["event"] for line in lines} == {"mdns.failed"}


def asked_for(settings: dict[str, str], broker: str) -> tuple[Announcer | None, Sequence[str]]:
    with capture_logs() as lines:
        made = announcer(load_settings({"KAISER_MDNS": "on", **settings}), broker, FakeClock())
    return made, [line["event"] for line in lines if line["log_level"] == "warning"]


def test_nothing_is_announced_unless_the_operator_wants_it() -> None:
    assert announcer(load_settings({}), BROKER, FakeClock()) is None


@pytest.mark.parametrize(
    ("settings", "broker"),
    [
        ({}, BROKER),
        ({"KAISER_MQTT_URL": "mqtts://192.0.2.1"}, "mqtts://192.0.2.1"),
        ({"KAISER_MQTT_URL": "mqtt://broker.example"}, "mqtt://broker.example"),
        ({"KAISER_MQTT_HOST": "2001:db8::1"}, "mqtt://[2001:db8::1]:1883"),
    ],
    ids=["listens on loopback", "speaks TLS", "has a name only", "has no IPv4"],
)
def test_a_broker_that_no_device_could_use_is_not_announced_and_the_operator_is_told(
    settings: dict[str, str], broker: str
) -> None:
    assert asked_for(settings, broker) == (None, ["mdns.not_announced"])


def test_a_broker_elsewhere_is_announced_with_its_own_address() -> None:
    url = "mqtt://192.0.2.7:1884"
    made, warnings = asked_for({"KAISER_MQTT_URL": url}, url)
    assert made is not None
    assert (made.addresses(), made.port, warnings) == (("192.0.2.7",), 1884, [])


def test_our_broker_on_the_network_is_announced_with_the_addresses_of_this_computer() -> None:
    made, warnings = asked_for({"KAISER_MQTT_HOST": "0.0.0.0"}, BROKER)  # noqa: S104 - not opened
    assert made is not None
    assert made.port == 1883
    assert not any(address.startswith("127.") for address in made.addresses())
    assert warnings == []


def test_of_a_given_broker_on_this_computer_nobody_knows_where_it_listens() -> None:
    made, warnings = asked_for({"KAISER_MQTT_URL": "mqtt://localhost"}, "mqtt://localhost")
    assert made is not None
    assert warnings == ["mdns.unsure"]
