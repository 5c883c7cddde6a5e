"""What virtual devices complain of reaches the server in the words of their generation."""

from datetime import UTC, datetime

import pytest

from domain.actuators import Pin
from domain.system_events import Severity
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import ActuatorAlert, DeviceError, Inbound, Outgoing
from simulator.dialects import DECEMBER, DIALECTS, HEAD, NOVEMBER, Dialect
from tests.esp32.driving import running


def complaints(dialect: Dialect) -> list[Outgoing]:
    """Return what a device sends that is told to complain of everything."""
    bench = running(dialect)
    bench.device.alarm("runtime_protection", "too long", gpio=5)
    bench.device.alarm("emergency_stop", "all of it")
    bench.device.fail(1007, 2, "sht31 read timeout")
    return [m for m in bench.wait(0) if m.topic.endswith(("/alert", "/error"))]


def read(message: Outgoing) -> Inbound:
    topic = topics.parse(message.topic)
    assert topic is not None
    return payloads.decode(topic, message.payload, datetime(2026, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_generation_raises_alerts(dialect: Dialect) -> None:
    one, all_of_it = [a for a in map(read, complaints(dialect)) if isinstance(a, ActuatorAlert)]
    assert (one.pin, one.alert_type) == (Pin("ESP_12AB34", 5), "runtime_protection")
    assert (all_of_it.pin.gpio, all_of_it.message) == (255, "all of it")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_board_that_stops_itself_has_everything_off_and_obeys_nobody(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.command()
    assert (bench.device.obeyed, bench.device.refused) == (1, 0)
    bench.device.alarm("emergency_stop", "overcurrent")
    statuses = [m.payload for m in bench.wait(0) if m.topic.endswith("/status")]
    assert b'"emergency":"active"' in statuses[0]
    assert not bench.device.actuators[0].is_on
    bench.command()
    assert (bench.device.obeyed, bench.device.refused) == (1, 1)


def test_only_firmware_of_2026_reports_errors() -> None:
    assert not [m for d in (NOVEMBER, DECEMBER) for m in complaints(d) if "error" in m.topic]
    error = read(complaints(HEAD)[-1])
    assert isinstance(error, DeviceError)
    assert (error.code, error.severity) == (1007, Severity.ERROR)
    assert error.message == "sht31 read timeout"
