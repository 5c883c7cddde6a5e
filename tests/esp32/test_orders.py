"""Orders to a whole board, to one sensor, and what boards do to protect themselves."""

from typing import Any

import msgspec
import pytest

from domain.configs import ActuatorItem, DeviceConfig
from domain.zones import SubzoneAssignment, SubzoneSafety, ZoneAssignment
from mqtt_bridge import payloads
from mqtt_bridge.messages import (
    AckStatus,
    MeasureCommand,
    MeasureResponse,
    OneWireScan,
    Outgoing,
    SystemAction,
    SystemCommand,
    SystemResponse,
)
from mqtt_bridge.topics import Kind
from simulator.actions import Renew
from simulator.actuators import VirtualActuator
from simulator.dialects import DECEMBER, DIALECTS, FEBRUARY, HEAD, NOVEMBER, Dialect
from simulator.sensors import DS18B20, VirtualSensor
from tests.esp32.driving import Bench, make_device, of, running
from tests.esp32.reading import read

ESP = "ESP_12AB34"
ROM = "28FF641E8D3C0C79"
ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)


def told(bench: Bench, action: SystemAction, **more: Any) -> list[Outgoing]:  # noqa: ANN401 - any field
    command = SystemCommand(esp_id=ESP, kaiser_id="god", command=action, **more)
    return bench.receive(payloads.encode(command))


def answer(heard: list[Outgoing]) -> SystemResponse | None:
    answers = [m for m in map(read, heard) if isinstance(m, SystemResponse)]
    return answers[0] if answers else None


def zone(**changes: Any) -> Outgoing:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "esp_id": ESP,
        "kaiser_id": "god",
        "zone_id": "north",
        "master_zone_id": "",
        "zone_name": "North",
        "new_kaiser_id": "god",
    }
    return payloads.encode(ZoneAssignment(**(fields | changes)))


@ALL
def test_a_factory_reset_is_answered_and_then_forgets_the_zone(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.receive(zone())
    assert bench.device.zone_id == "north"

    said = answer(told(bench, SystemAction.FACTORY_RESET))
    assert said is not None
    assert (said.command, said.success) == ("factory_reset", True)

    bench.wait(2.9)
    assert bench.drops == 0
    bench.wait(0.2)
    assert bench.drops == 1
    assert bench.device.zone_id == ""


@ALL
def test_a_factory_reset_that_nobody_confirmed_does_nothing(dialect: Dialect) -> None:
    bench = running(dialect)

    bench.deliver(f"kaiser/god/esp/{ESP}/system/command", b'{"command":"factory_reset"}')
    bench.wait(10.0)

    assert bench.drops == 0


@ALL
def test_it_answers_a_status_order_if_its_generation_knows_it(dialect: Dialect) -> None:
    said = answer(told(running(dialect), SystemAction.STATUS))

    if dialect.gate is None:
        assert said is None
    else:
        assert said is not None
        assert (said.success, said.details["state"]) == (True, 9 if dialect is HEAD else 8)


@pytest.mark.parametrize(
    ("dialect", "action"),
    [
        (HEAD, SystemAction.REBOOT),
        (HEAD, SystemAction.RESUME_OPERATION),
        (FEBRUARY, SystemAction.DIAGNOSTICS),
    ],
)
def test_an_order_that_it_does_not_know_is_answered_so(
    dialect: Dialect, action: SystemAction
) -> None:
    said = answer(told(running(dialect), action))

    assert said is not None
    assert (said.success, said.message) == (False, "Unknown command")


def test_safe_mode_switches_off_and_blocks_commands_until_it_is_left() -> None:
    bench = running(HEAD)
    bench.command()

    told(bench, SystemAction.SAFE_MODE)
    assert not bench.device.actuators[0].is_on
    refused = of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]
    assert "SAFETY_LOCKED" in refused["message"]
    assert of(bench.wait(60.0), Kind.HEARTBEAT)[0]["config_status"]["state"] == 12

    told(bench, SystemAction.EXIT_SAFE_MODE)
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is True


def test_unapproved_newest_firmware_only_does_what_is_harmless() -> None:
    bench = Bench(make_device(HEAD))
    bench.connect()
    bench.acknowledge(status=AckStatus.PENDING_APPROVAL)

    status = answer(told(bench, SystemAction.STATUS))
    reset = answer(told(bench, SystemAction.FACTORY_RESET))

    assert status is not None
    assert status.success
    assert reset is not None
    assert not reset.success


@pytest.mark.parametrize("dialect", [FEBRUARY, HEAD], ids=lambda d: d.name)
def test_a_scan_of_the_bus_finds_its_chips(dialect: Dialect) -> None:
    sensors = (VirtualSensor(chip=DS18B20, gpio=4, interval=10.0, onewire_address=ROM),)
    bench = running(dialect, sensors=sensors)

    heard = told(bench, SystemAction.ONEWIRE_SCAN, pin=4)

    (scan,) = [m for m in map(read, heard) if isinstance(m, OneWireScan)]
    assert [(found.rom_code, found.pin) for found in scan.devices] == [(ROM, 4)]
    assert of(told(bench, SystemAction.ONEWIRE_SCAN, pin=5), Kind.ONEWIRE_SCAN)[0]["devices"] == []


@pytest.mark.parametrize("dialect", [FEBRUARY, HEAD], ids=lambda d: d.name)
def test_told_to_measure_it_publishes_a_sample_and_how_it_went(dialect: Dialect) -> None:
    bench = running(dialect)

    heard = bench.receive(
        payloads.encode(MeasureCommand(esp_id=ESP, kaiser_id="god", gpio=4, request_id="r-1"))
    )
    (sample,) = of(heard, Kind.SENSOR_DATA)
    (said,) = [m for m in map(read, heard) if isinstance(m, MeasureResponse)]
    assert (said.request_id, said.success, said.raw_value) == ("r-1", True, sample["raw"])

    nothing = bench.receive(
        payloads.encode(MeasureCommand(esp_id=ESP, kaiser_id="god", gpio=9, request_id="r-2"))
    )
    (missing,) = [m for m in map(read, nothing) if isinstance(m, MeasureResponse)]
    assert (missing.success, missing.reason) == (False, "SENSOR_NOT_FOUND")


def test_the_newest_tells_what_became_of_each_order() -> None:
    bench = running(HEAD)

    done = of(bench.command(correlation_id="c-1"), Kind.INTENT_OUTCOME)
    refused = of(bench.command(gpio=99, correlation_id="c-2"), Kind.INTENT_OUTCOME)

    assert [(o["intent_id"], o["outcome"]) for o in done + refused] == [
        ("c-1", "applied"), ("c-2", "rejected")
    ]  # fmt: skip


@ALL
def test_a_pump_that_runs_for_an_hour_is_stopped_except_by_the_first(dialect: Dialect) -> None:
    bench = running(dialect)
    bench.command()
    for _ in range(61):
        bench.wait(60.0)
        if dialect.gate is not None:
            bench.acknowledge()

    assert bench.device.actuators[0].is_on is (dialect is NOVEMBER)
    key = "type" if dialect is NOVEMBER else "alert_type"
    alerts = [alert[key] for alert in of(bench.sent, Kind.ACTUATOR_ALERT)]
    assert alerts == ([] if dialect is NOVEMBER else ["runtime_protection"])


@ALL
def test_firmware_of_2026_holds_each_pin_to_the_longest_time_on_that_it_was_told(
    dialect: Dialect,
) -> None:
    light = VirtualActuator(gpio=6, actuator_type="relay")
    bench = running(dialect, actuators=(light,))
    item = ActuatorItem(gpio=6, actuator_type="relay", name="Light", max_runtime_ms=90_000)
    bench.receive(
        payloads.encode(
            DeviceConfig(
                esp_id=ESP, kaiser_id="god", sensors=(), actuators=(item,), correlation_id="c-9"
            )
        )
    )
    bench.command(gpio=6)
    bench.wait(89.0)
    assert light.is_on
    bench.wait(1.0)
    assert light.is_on is (dialect not in {FEBRUARY, HEAD})


@pytest.mark.parametrize("dialect", [NOVEMBER, DECEMBER], ids=lambda d: d.name)
def test_early_firmware_speaks_on_its_new_level_at_once_but_hears_on_the_old(
    dialect: Dialect,
) -> None:
    bench = Bench(make_device(dialect, kaiser_id=None))
    before = {name for name, _ in bench.device.subscriptions()}
    bench.connect()

    heard = bench.receive(zone())

    assert [m.topic for m in heard] == [f"kaiser/god/esp/{ESP}/zone/ack"]
    assert all(m.topic.startswith("kaiser/god/") for m in bench.wait(120.0))
    assert f"kaiser//esp/{ESP}/config" in before
    if dialect is DECEMBER:
        assert {name for name, _ in bench.device.subscriptions()} == before


@pytest.mark.parametrize("dialect", [FEBRUARY, HEAD], ids=lambda d: d.name)
def test_later_firmware_hears_on_its_new_level_too(dialect: Dialect) -> None:
    device = make_device(dialect)
    bench = Bench(device)
    bench.connect()
    bench.acknowledge()

    message = zone(new_kaiser_id="relay1")
    actions = device.message(message.topic, message.payload, bench.now)

    assert actions[-1] == Renew()
    assert f"kaiser/relay1/esp/{ESP}/config" in {name for name, _ in device.subscriptions()}


def test_a_subzone_that_is_made_safe_is_off() -> None:
    bench = running(HEAD, zone_id="north")
    bench.command()
    bench.receive(
        payloads.encode(
            SubzoneAssignment(
                esp_id=ESP,
                kaiser_id="god",
                subzone_id="bench",
                subzone_name="Bench",
                parent_zone_id="north",
                gpios=(5,),
            )
        )
    )

    heard = bench.receive(
        payloads.encode(SubzoneSafety(esp_id=ESP, kaiser_id="god", subzone_id="bench", enable=True))
    )

    assert of(heard, Kind.SUBZONE_ACK) == []
    assert not bench.device.actuators[0].is_on


@ALL
def test_a_malformed_order_is_ignored(dialect: Dialect) -> None:
    bench = running(dialect)

    for payload in (b"", b"[]", b'{"command":7}', b"x" * 300, msgspec.json.encode({})):
        assert bench.deliver(f"kaiser/god/esp/{ESP}/system/command", payload) == []
