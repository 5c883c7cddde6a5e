"""A board without network keeps what it can, and tells it later with the times of then."""

from typing import Any

import pytest

from mqtt_bridge.topics import Kind
from simulator.actions import Drop
from simulator.dialects import BUILDS, DIALECTS, HEAD, HEAD_ON_XIAO, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.esp32.driving import Bench, kinds, of, running

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)


def returned(bench: Bench) -> list[dict[str, Any]]:
    """Let a board come back, and return the samples that it sends at once."""
    bench.device.faults.switch(Fault.NETWORK_GONE, on=False)
    heard = bench.connect()
    if bench.device.dialect.gate is not None:
        heard = bench.acknowledge(epoch=bench.device.registration.announced)
    return of(heard, Kind.SENSOR_DATA)


@pytest.mark.parametrize("dialect", BUILDS, ids=lambda d: d.name)
def test_it_keeps_the_oldest_and_drops_what_its_memory_cannot_hold(dialect: Dialect) -> None:
    bench = running(dialect, actuators=())
    bench.wait(10.0)
    bench.device.faults.switch(Fault.NETWORK_GONE)
    assert bench.wait(2000.0) == []
    assert len(bench.device.outlet.kept) == dialect.backlog

    late = returned(bench)

    room = {"april-2026": 8, "april-2026-xiao": 25}.get(dialect.name, 100)
    assert len(late) == room
    assert bench.device.outlet.overflowed == 200 - room
    key = "timestamp" if dialect is NOVEMBER else "ts"
    stamps = [sample[key] for sample in late]
    assert stamps == sorted(set(stamps))


@ALL
def test_the_connection_breaks_when_the_network_is_gone(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.NETWORK_GONE)

    actions = bench.device.tick(bench.now + 1.0)

    assert Drop() in actions
    assert not bench.device.reaches_broker


def test_a_reboot_in_the_meantime_loses_what_was_kept() -> None:
    bench = running(NOVEMBER)
    bench.device.faults.switch(Fault.NETWORK_GONE)
    bench.wait(100.0)
    bench.device.faults.switch(Fault.REBOOT)
    bench.wait(1.0)

    assert returned(bench) == []


def test_the_newest_tells_nothing_of_it_before_it_is_taken_over_again() -> None:
    bench = running(HEAD)
    bench.wait(5.0)
    bench.device.faults.switch(Fault.NETWORK_GONE)
    bench.wait(60.0)
    bench.device.faults.switch(Fault.NETWORK_GONE, on=False)

    assert set(kinds(bench.connect())) == {Kind.SESSION_ANNOUNCE, Kind.HEARTBEAT}
    assert len(of(bench.acknowledge(epoch=2), Kind.SENSOR_DATA)) == 6


def test_on_the_small_board_the_newest_firmware_sends_with_the_old_client() -> None:
    bench = running(HEAD_ON_XIAO)
    bench.command()
    bench.wait(60.0)

    assert {(message.qos, message.retain) for message in bench.sent} == {(0, False)}
