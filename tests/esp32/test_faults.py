"""Every fault does what it says, while it is on, and nothing once it is off."""

import msgspec
import pytest

from mqtt_bridge import payloads, topics
from mqtt_bridge.payloads import MalformedPayloadError
from mqtt_bridge.topics import Kind
from simulator.dialects import DECEMBER, DIALECTS, HEAD, NOVEMBER, Dialect
from simulator.faults import LATE_BY, MOST_HELD, Fault
from tests.esp32.driving import Bench, kind, kinds, make_device, of, running
from tests.fakes import START

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)


@ALL
def test_a_silent_device_says_nothing_and_speaks_again_later(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.SILENCE)
    assert bench.command() == bench.wait(100.0) == []

    bench.device.faults.switch(Fault.SILENCE, on=False)

    assert Kind.SENSOR_DATA in kinds(bench.wait(20.0))


@ALL
def test_a_missing_answer_is_only_missing_the_pin_obeys(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.NO_ANSWERS)

    heard = bench.command()

    assert set(kinds(heard)) == {Kind.ACTUATOR_STATUS}
    assert bench.device.actuators[0].is_on


@ALL
def test_a_late_answer_comes_complete_but_late(dialect: Dialect) -> None:
    bench = running(dialect, sensors=())
    bench.device.faults.switch(Fault.LATE_ANSWERS)
    assert Kind.ACTUATOR_RESPONSE not in kinds(bench.command())

    assert Kind.ACTUATOR_RESPONSE not in kinds(bench.wait(LATE_BY - 0.1))
    assert kinds(bench.wait(0.2))[0] is Kind.ACTUATOR_RESPONSE


def test_only_so_many_answers_are_held_back() -> None:
    bench = running()
    bench.device.faults.switch(Fault.LATE_ANSWERS)

    for _ in range(MOST_HELD + 5):
        bench.command(correlation_id=None)

    assert kinds(bench.wait(LATE_BY)).count(Kind.ACTUATOR_RESPONSE) == MOST_HELD
    assert bench.device.faults.lost == 5


@ALL
def test_duplicates_are_the_same_bytes_twice(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.DUPLICATES)

    heard = [message for message in bench.wait(50.0) if kind(message) is Kind.SENSOR_DATA]

    assert heard
    assert heard[::2] == heard[1::2]


@pytest.mark.parametrize("dialect", [DECEMBER, HEAD], ids=lambda d: d.name)
def test_an_unknown_clock_says_zero(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.CLOCK_UNKNOWN)

    assert {body["ts"] for body in of(bench.wait(30.0), Kind.SENSOR_DATA)} == {0}

    bench.device.faults.switch(Fault.CLOCK_UNKNOWN, on=False)
    assert 0 not in {body["ts"] for body in of(bench.wait(30.0), Kind.SENSOR_DATA)}


def test_a_clock_that_counts_from_boot_cannot_be_lost() -> None:
    bench = running(NOVEMBER)
    bench.device.faults.switch(Fault.CLOCK_UNKNOWN)

    assert all(body["timestamp"] > 0 for body in of(bench.wait(30.0), Kind.SENSOR_DATA))


@ALL
def test_malformed_sensor_data_is_no_json_and_nothing_else_is_touched(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.MALFORMED_JSON)
    bench.command()

    heard = bench.wait(100.0)

    broken = [message for message in heard if kind(message) is Kind.SENSOR_DATA]
    assert len(broken) >= 9
    for message in broken:
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(message.payload)
        topic = topics.parse(message.topic)
        assert topic is not None
        with pytest.raises(MalformedPayloadError):
            payloads.decode(topic, message.payload, START)
    assert any(b":nan," in message.payload for message in broken)
    assert of(heard, Kind.ACTUATOR_STATUS)


@ALL
def test_a_reboot_drops_the_connection_forgets_the_pins_and_starts_over(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.command()
    bench.device.faults.switch(Fault.REBOOT)

    assert bench.wait(20.0) == []
    assert bench.drops == 1
    assert not bench.device.actuators[0].is_on
    assert bench.device.subscriptions()

    bench.now += 2.0
    bench.connect()
    if dialect.hands_over:
        announced = of(bench.sent, Kind.SESSION_ANNOUNCE)[-1]
        assert (announced["handover_epoch"], announced["reason"]) == (1, "boot")
        assert "-b2-r0" in of(bench.sent, Kind.HEARTBEAT)[-1]["boot_sequence_id"]
    if dialect is NOVEMBER:
        restarted = of(bench.wait(20.0), Kind.SENSOR_DATA)[0]
        assert restarted["timestamp"] <= 10_000


@ALL
def test_a_board_hears_nothing_from_its_reboot_until_it_is_connected_again(
    dialect: Dialect,
) -> None:
    bench = running(dialect)
    bench.device.faults.switch(Fault.REBOOT)
    bench.wait(1.0)

    assert bench.command() == []
    assert bench.acknowledge() == []

    assert not bench.device.actuators[0].is_on
    assert bench.device.wake_at == float("inf")


def test_a_device_that_was_never_on_cannot_reboot() -> None:
    bench = Bench(make_device())
    bench.device.faults.switch(Fault.REBOOT)

    assert bench.wait(10.0) == []
    assert bench.drops == 0
