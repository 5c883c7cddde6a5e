"""Firmware of November and December 2025: retained messages, no registration, odd clocks."""

import pytest

from mqtt_bridge.topics import Kind
from simulator.dialects import DECEMBER, HEAD, NOVEMBER, Dialect
from simulator.sensors import DS18B20, PH, Sampled, VirtualSensor
from simulator.writing import Origin
from tests.esp32.driving import START, Bench, kinds, make_device, of, running

EARLY = pytest.mark.parametrize("dialect", [NOVEMBER, DECEMBER], ids=lambda d: d.name)


def test_november_gives_its_first_sign_of_life_after_a_minute() -> None:
    bench = Bench(make_device(NOVEMBER))
    bench.connect()

    assert Kind.HEARTBEAT not in kinds(bench.wait(59.0))
    assert Kind.HEARTBEAT in kinds(bench.wait(2.0))


def test_november_tells_milliseconds_since_boot() -> None:
    bench = running(NOVEMBER)

    bench.wait(120.0)

    samples = [body["timestamp"] for body in of(bench.sent, Kind.SENSOR_DATA)]
    assert samples == sorted(samples)
    assert 110_000 < samples[-1] <= 120_000
    assert of(bench.sent, Kind.HEARTBEAT)[0]["ts"] == 60_000


def test_november_speaks_on_the_empty_level_until_it_was_provisioned() -> None:
    device = make_device(NOVEMBER, kaiser_id=None)
    bench = Bench(device)
    bench.connect()

    topics = {message.topic for message in bench.wait(120.0)}

    assert all(name.startswith("kaiser//esp/ESP_12AB34/") for name in topics)
    assert device.subscriptions() == ()
    assert make_device(NOVEMBER, kaiser_id=None).subscriptions() == (
        ("kaiser//esp/ESP_12AB34/system/command", 0),
        ("kaiser//esp/ESP_12AB34/config", 0),
        ("kaiser/broadcast/emergency", 0),
        ("kaiser//esp/ESP_12AB34/actuator/+/command", 0),
        ("kaiser//esp/ESP_12AB34/actuator/emergency", 0),
        ("kaiser//esp/ESP_12AB34/zone/assign", 0),
        ("kaiser/god/esp/ESP_12AB34/zone/assign", 0),
    )


def test_november_answers_nothing_after_a_reconnect_until_it_reboots() -> None:
    device = make_device(NOVEMBER)
    bench = Bench(device)
    assert device.subscriptions()
    bench.connect()
    bench.disconnect()

    assert device.subscriptions() == ()


def test_december_subscribes_again_after_a_reconnect() -> None:
    bench = running(DECEMBER)
    bench.disconnect()

    assert bench.device.subscriptions()


def test_november_gives_up_after_ten_failed_reconnects() -> None:
    device = make_device(NOVEMBER)

    waits = [device.retry_wait(failures) for failures in range(1, 12)]

    assert all(wait is not None and wait <= 60.0 for wait in waits[:10])
    assert waits[10] is None
    assert make_device(DECEMBER).retry_wait(1000) is not None


def test_november_has_no_last_word_and_december_one_without_its_name() -> None:
    assert make_device(NOVEMBER).last_word(START) is None

    word = make_device(DECEMBER).last_word(START)
    assert word is not None
    assert b"esp_id" not in word.payload


@EARLY
def test_everything_but_the_heartbeat_is_retained_and_sent_once_at_most(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.command()
    bench.wait(120.0)

    assert {message.qos for message in bench.sent} == {0}
    assert {kind for kind, m in zip(kinds(bench.sent), bench.sent, strict=True) if m.retain} == {
        Kind.SENSOR_DATA, Kind.ACTUATOR_RESPONSE, Kind.ACTUATOR_STATUS
    }  # fmt: skip


@EARLY
def test_it_obeys_at_once_reports_twice_and_repeats_no_id(dialect: Dialect) -> None:
    heard = running(dialect).command(correlation_id="c-9")

    assert kinds(heard) == [
        Kind.ACTUATOR_RESPONSE, Kind.ACTUATOR_STATUS, Kind.ACTUATOR_STATUS
    ]  # fmt: skip
    answer = of(heard, Kind.ACTUATOR_RESPONSE)[0]
    assert answer["success"] is True
    assert "correlation_id" not in answer


@EARLY
def test_it_ignores_a_duration(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.command(duration=5)

    bench.wait(600.0)

    assert bench.device.actuators[0].is_on


@EARLY
def test_a_blank_after_a_key_makes_a_command_unreadable(dialect: Dialect) -> None:
    bench = running(dialect)

    heard = bench.deliver(
        "kaiser/god/esp/ESP_12AB34/actuator/5/command", b'{"command" : "ON", "value" : 1.0}'
    )

    assert heard == []
    assert not bench.device.actuators[0].is_on


def test_a_toggle_switches_back_and_forth() -> None:
    bench = running(NOVEMBER)

    states = []
    for _ in range(3):
        bench.deliver(
            "kaiser/god/esp/ESP_12AB34/actuator/5/command", b'{"command":"TOGGLE","value":0.0}'
        )
        states.append(bench.device.actuators[0].is_on)

    assert states == [True, False, True]


@pytest.mark.parametrize(
    ("dialect", "key", "sent"),
    [(NOVEMBER, "raw_value", 2**32 - 24), (DECEMBER, "raw", 2**32 - 24), (HEAD, "raw", -24)],
)
def test_a_frosty_raw_value_wraps_around_until_2026(dialect: Dialect, key: str, sent: int) -> None:
    frost = Sampled(VirtualSensor(chip=DS18B20, gpio=4), raw=-24)
    origin = Origin(esp_id="ESP_12AB34", zone_id="", stamp=0)

    assert dialect.sensor_data(origin, frost)[key] == sent


def test_december_leaves_analog_values_to_the_server() -> None:
    bench = running(DECEMBER, sensors=(VirtualSensor(chip=PH, gpio=35, interval=5.0),))

    body = of(bench.wait(5.0), Kind.SENSOR_DATA)[0]

    assert (body["raw_mode"], body["unit"], body["value"]) == (True, "raw", body["raw"])


@EARLY
def test_what_it_measured_while_offline_follows_later_up_to_its_memory(dialect: Dialect) -> None:
    bench = running(dialect, actuators=())
    bench.wait(10.0)
    bench.disconnect()
    assert bench.wait(2000.0) == []

    late = bench.connect()

    assert kinds(late).count(Kind.SENSOR_DATA) >= 100
    assert bench.device.outlet.overflowed == 100
