"""What stops a board of each generation, what it says then, and what lets it go on."""

from typing import Any

import msgspec
import pytest

from mqtt_bridge import payloads
from mqtt_bridge.messages import (
    ActuatorAlert,
    EmergencyAck,
    EmergencyAction,
    EmergencyBroadcast,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    Outgoing,
    RecoveryConfirm,
)
from mqtt_bridge.topics import Kind
from simulator.dialects import (
    BUILDS,
    DECEMBER,
    DIALECTS,
    FEBRUARY,
    HEAD,
    NOVEMBER,
    Dialect,
)
from simulator.faults import Fault
from tests.esp32.driving import Bench, kinds, of, running
from tests.esp32.reading import read

ESP = "ESP_12AB34"
BROADCAST = "kaiser/broadcast/emergency"
ORDER = f"kaiser/god/esp/{ESP}/actuator/emergency"
WITH_TOKENS = pytest.mark.parametrize("dialect", [DECEMBER, FEBRUARY, HEAD], ids=lambda d: d.name)
EVERY_BUILD = pytest.mark.parametrize("dialect", BUILDS, ids=lambda d: d.name)


def pumping(dialect: Dialect) -> Bench:
    bench = running(dialect)
    bench.command()
    assert bench.device.actuators[0].is_on
    return bench


def order(action: EmergencyAction, token: str = ESP) -> Outgoing:
    message = EmergencyOrder(
        esp_id=ESP, kaiser_id="god", command=action, auth_token=token, correlation_id="emg-1"
    )
    return payloads.encode(message)


def stopped(dialect: Dialect) -> Bench:
    bench = pumping(dialect)
    bench.receive(order(EmergencyAction.STOP))
    return bench


def json(**fields: Any) -> bytes:  # noqa: ANN401 - any JSON
    return msgspec.json.encode(fields)


@EVERY_BUILD
def test_the_servers_broadcast_stops_it_and_it_says_so(dialect: Dialect) -> None:
    bench = pumping(dialect)

    heard = bench.receive(payloads.encode(EmergencyBroadcast(reason="fire " * 30, issued_by="me")))

    assert not bench.device.actuators[0].is_on
    (status, *_) = of(heard, Kind.ACTUATOR_STATUS)
    assert (status["state"], status["emergency"]) == (False, "active")
    (alert,) = [m for m in map(read, heard) if isinstance(m, ActuatorAlert)]
    assert (alert.pin.gpio, alert.alert_type) == (255, "emergency_stop")


@pytest.mark.parametrize(
    ("payload", "stops"),
    [
        (b"", {NOVEMBER}),
        (b"not json", {NOVEMBER}),
        (b"{}", {NOVEMBER, DECEMBER, FEBRUARY}),
        (json(command="EMERGENCY_STOP"), {NOVEMBER, DECEMBER, FEBRUARY}),
        (json(command="stop_all"), set(DIALECTS)),
        (json(action="emergency_stop"), set(DIALECTS)),
        (json(command="emergency_stop", timestamp=1), {NOVEMBER, DECEMBER, FEBRUARY}),
        (json(command="emergency_stop", action="stop_all"), set(DIALECTS)),
        (json(command=7), set(DIALECTS)),
        (json(command="emergency_stop", auth_token=7), set(DIALECTS)),
        (json(command="emergency_stop", reason="r" * 300), {NOVEMBER, HEAD}),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_broadcast_stops_exactly_those_whose_firmware_it_stops(
    dialect: Dialect, payload: bytes, stops: set[Dialect]
) -> None:
    bench = pumping(dialect)

    bench.deliver(BROADCAST, payload)

    assert bench.device.actuators[0].is_on is (dialect not in stops)


@EVERY_BUILD
def test_an_order_to_it_alone_stops_it(dialect: Dialect) -> None:
    bench = stopped(dialect)

    assert not bench.device.actuators[0].is_on


@WITH_TOKENS
def test_an_order_without_its_token_is_refused(dialect: Dialect) -> None:
    bench = pumping(dialect)

    for heard in (
        bench.receive(order(EmergencyAction.STOP, token="wrong")),  # noqa: S106 - of nobody
        bench.deliver(ORDER, b'{"action":"stop_all"}'),
    ):
        (error,) = [m for m in map(read, heard) if isinstance(m, EmergencyError)]
        assert error.error == "unauthorized"
    assert bench.device.actuators[0].is_on


def test_november_stops_for_anything_that_arrives() -> None:
    bench = pumping(NOVEMBER)

    bench.deliver(ORDER, b"")

    assert not bench.device.actuators[0].is_on


@EVERY_BUILD
def test_while_it_is_stopped_it_obeys_no_command(dialect: Dialect) -> None:
    bench = stopped(dialect)

    answer = of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]

    assert answer["success"] is False
    assert ("emergency" in answer["message"]) is dialect.correlates
    assert not bench.device.actuators[0].is_on


@WITH_TOKENS
def test_it_cannot_be_cleared_within_five_seconds(dialect: Dialect) -> None:
    bench = stopped(dialect)
    bench.wait(4.9)

    heard = bench.receive(order(EmergencyAction.CLEAR))

    said = [read(message) for message in heard]
    assert [m.error for m in said if isinstance(m, EmergencyError)] == ["clear_failed"]
    alerts = [m for m in said if isinstance(m, ActuatorAlert)]
    assert [(a.pin.gpio, a.alert_type) for a in alerts] == [(255, "verification_failed")]
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is False


@WITH_TOKENS
def test_cleared_it_obeys_again_but_switches_nothing_on(dialect: Dialect) -> None:
    bench = stopped(dialect)
    bench.wait(5.0)

    heard = bench.receive(order(EmergencyAction.CLEAR))

    assert not bench.device.actuators[0].is_on
    assert of(heard, Kind.ACTUATOR_STATUS)[0]["emergency"] == "normal"
    responses = [m.status for m in map(read, heard) if isinstance(m, EmergencyResponse)]
    assert responses == ["emergency_cleared"]
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is True


def test_only_the_newest_confirms_with_the_orders_id() -> None:
    bench = pumping(HEAD)
    stop = [read(m) for m in bench.receive(order(EmergencyAction.STOP))]
    bench.wait(5.0)
    clear = [read(m) for m in bench.receive(order(EmergencyAction.CLEAR))]

    (ack,) = [m for m in stop if isinstance(m, EmergencyAck)]
    assert (ack.outcome, ack.stopped_pins, ack.correlation_id) == ("executed", 1, "emg-1")
    (recovery,) = [m for m in clear if isinstance(m, RecoveryConfirm)]
    assert (recovery.state, recovery.correlation_id) == ("cleared", "emg-1")
    assert Kind.EMERGENCY_ACK not in kinds(stopped(FEBRUARY).sent)


def test_november_is_stopped_until_somebody_switches_it_off_and_on() -> None:
    bench = stopped(NOVEMBER)
    bench.wait(60.0)
    bench.receive(order(EmergencyAction.CLEAR))
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is False

    bench.device.faults.switch(Fault.REBOOT)
    bench.wait(1.0)
    bench.connect()

    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is True


@EVERY_BUILD
def test_a_lost_connection_does_not_end_an_emergency(dialect: Dialect) -> None:
    bench = stopped(dialect)
    bench.disconnect()
    bench.wait(30.0)
    bench.connect()
    bench.acknowledge(epoch=2)

    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is False


def test_the_newest_takes_a_broadcast_only_with_its_token_once_it_has_one() -> None:
    bench = pumping(HEAD)
    bench.deliver(
        f"kaiser/god/esp/{ESP}/system/command",
        json(command="set_emergency_token", token_type="broadcast", token="s3cret"),  # noqa: S106 - of a test
    )

    refused = bench.deliver(BROADCAST, json(command="emergency_stop"))
    assert [error["error_code"] for error in of(refused, Kind.SYSTEM_ERROR)] == [3500]
    assert bench.device.actuators[0].is_on

    bench.deliver(BROADCAST, json(command="emergency_stop", auth_token="s3cret"))  # noqa: S106 - of a test
    assert not bench.device.actuators[0].is_on
