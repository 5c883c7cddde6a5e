"""What devices are told of an emergency, and each sign by which they show how they stand to it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

import msgspec
import pytest

from domain.actuators import Pin
from domain.devices import FirmwareGeneration
from mqtt_bridge.control import Control
from mqtt_bridge.emergencies import EmergencyWire, Tokens
from mqtt_bridge.session import Delivery
from tests.fakes import START, FakeClock, until
from tests.makers import make_device, make_emergency_stop

ESP = "ESP_12AB34"
P = f"kaiser/god/esp/{ESP}/"


@dataclass
class Line:
    """The control connection: what is said on it, and how."""

    said: list[tuple[str, dict[str, object], int, bool]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, urgent: bool
    ) -> None:
        assert not retain
        self.said.append((topic, msgspec.json.decode(payload), qos, urgent))

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledged += [delivery.mid for delivery in deliveries]

    def pause(self) -> None:
        """Nothing is too much."""

    def resume(self) -> None:
        """Nothing is too much."""


@dataclass
class Watch:
    """Notes what it is told, in short."""

    told: list[str] = field(default_factory=list)

    def _note(self, at: datetime, what: str) -> None:
        assert at == START
        self.told.append(what)

    def stopped(self, esp_id: str, at: datetime) -> None:
        self._note(at, f"{esp_id} stopped")

    def freed(self, esp_id: str, at: datetime) -> None:
        self._note(at, f"{esp_id} freed")

    def off(self, pin: Pin, at: datetime) -> None:
        self._note(at, f"{pin.esp_id} {pin.gpio} off")

    def running(self, pin: Pin, at: datetime) -> None:
        self._note(at, f"{pin.esp_id} {pin.gpio} running")

    def refused(self, esp_id: str, reason: str, at: datetime) -> None:
        self._note(at, f"{esp_id} refused: {reason}")

    def connected(self, esp_id: str, at: datetime, *, booted: bool) -> None:
        self._note(at, f"{esp_id} {'booted' if booted else 'connected'}")

    async def stopped_itself(self, esp_id: str, at: datetime, message: str) -> None:
        self._note(at, f"{esp_id} alarmed: {message}")

    async def found_stopped(self, esp_id: str, at: datetime) -> None:
        self._note(at, f"{esp_id} found stopped")


class House:
    """A wire with somebody at its end."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.line, self.watch = Line(), Watch()
        self.wire = EmergencyWire(connection=self.line, tokens=tokens or Tokens())
        self.control = Control(
            connection=self.line,  # type: ignore[arg-type]  # nothing is sent through it
            clock=FakeClock(),
            bury=lambda _connection, _delivery, reason: pytest.fail(reason),
        )
        self.wire.attach(self.control, self.watch)
        self._mids = count(1)

    async def hears(self, topic: str, body: dict[str, object], *, retain: bool = False) -> None:
        """Take in one message, to its end."""
        mid = next(self._mids)
        payload = json.dumps({"ts": 0, **body}).encode()
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self.control.run())
            self.control.hear(Delivery(P + topic, payload, 1, retain, mid, 1))
            await until(lambda: mid in self.line.acknowledged)
            working.cancel()


STATUS = {"gpio": 5, "type": "pump", "state": False, "pwm": 0, "emergency": "normal"}
ACK = {"command": "emergency_stop", "gpio_count": 1, "outcome": "executed"}
REPLY = {"gpio": 5, "command": "OFF", "value": 0.0, "success": True, "message": "done"}

UNAUTHORIZED = (
    "it refuses the order (unauthorized): its token is another; set KAISER_EMERGENCY_TOKEN to it"
)

SIGNS: list[tuple[str, dict[str, object], str]] = [
    ("safe_mode", {"safe_mode_active": True, "reason": "x"}, "stopped"),
    ("actuator/5/status", {**STATUS, "emergency": "active"}, "stopped, found stopped"),
    ("actuator/emergency/ack", ACK, "stopped"),
    ("actuator/emergency/response", {"status": "emergency_stopped"}, "stopped"),
    (
        "actuator/5/response",
        {**REPLY, "success": False, "message": "Actuator in emergency stop state."},
        "stopped",
    ),
    (
        "actuator/255/alert",
        {"gpio": 255, "type": "emergency_stop", "message": "hot"},
        "alarmed: hot",
    ),
    (
        "actuator/255/alert",
        {"gpio": 255, "alert_type": "emergency_stop", "message": "hot"},
        "alarmed: hot",
    ),
    ("actuator/5/status", STATUS, "5 off"),
    ("actuator/5/response", REPLY, "5 off"),
    ("actuator/5/status", {**STATUS, "state": True, "pwm": 255}, "5 running"),
    ("actuator/emergency/ack", {**ACK, "command": "clear_emergency"}, "freed"),
    ("actuator/emergency/response", {"status": "emergency_cleared"}, "freed"),
    (
        "actuator/recovery_confirm",
        {"command": "clear_emergency", "state": "cleared"},
        "freed",
    ),
    ("session/announce", {"handover_epoch": 1, "reason": "boot"}, "booted"),
    ("session/announce", {"handover_epoch": 2, "reason": "reconnect"}, "connected"),
    (
        "actuator/emergency/ack",
        {**ACK, "outcome": "failed"},
        "refused: it did not carry out emergency_stop: failed",
    ),
    (
        "actuator/emergency/error",
        {"error": "unauthorized", "message": "x"},
        f"refused: {UNAUTHORIZED}",
    ),
]


@pytest.mark.parametrize(("topic", "body", "told"), SIGNS)
async def test_each_sign_alone_says_how_a_device_stands_to_a_stop(
    topic: str, body: dict[str, object], told: str
) -> None:
    house = House()
    await house.hears(topic, body)
    assert house.watch.told == [f"{ESP} {what}" for what in told.split(", ")]


@pytest.mark.parametrize(("topic", "body"), [sign[:2] for sign in SIGNS])
async def test_what_the_broker_had_retained_confirms_nothing(
    topic: str, body: dict[str, object]
) -> None:
    house = House()
    await house.hears(topic, body, retain=True)
    assert house.watch.told == []


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("safe_mode", {"safe_mode_active": False, "reason": "x"}),
        ("actuator/5/response", {**REPLY, "success": False}),
        ("actuator/5/response", {**REPLY, "command": "ON", "value": 1.0}),
        ("actuator/5/alert", {"gpio": 5, "type": "runtime_protection", "message": "x"}),
        ("actuator/recovery_confirm", {"command": "clear_emergency", "state": "pending"}),
    ],
)
async def test_what_is_no_sign_of_a_stop_is_none(topic: str, body: dict[str, object]) -> None:
    house = House()
    await house.hears(topic, body)
    assert house.watch.told == []


async def test_a_stop_goes_ahead_of_everything_and_clearing_waits_its_turn() -> None:
    house, stop, device = House(), make_emergency_stop(reason="fire"), make_device(ESP)
    await house.wire.stop_all(stop)
    await house.wire.stop(device, stop)
    await house.wire.switch_off(Pin(ESP, 5), "god", stop)
    await house.wire.clear(device, stop)
    assert [(topic, urgent) for topic, _, _, urgent in house.line.said] == [
        ("kaiser/broadcast/emergency", True),
        (P + "actuator/emergency", True),
        (P + "actuator/5/command", True),
        (P + "actuator/emergency", False),
    ]
    assert [body["command"] for _, body, _, _ in house.line.said] == [
        "emergency_stop",
        "emergency_stop",
        "OFF",
        "clear_emergency",
    ]


@pytest.mark.parametrize(
    ("tokens", "device", "broadcast"),
    [(Tokens(), ESP, None), (Tokens(device="d0", broadcast="b0"), "d0", "b0")],
)
async def test_orders_carry_the_token_that_devices_demand(
    tokens: Tokens, device: str, broadcast: str | None
) -> None:
    house, stop = House(tokens), make_emergency_stop()
    await house.wire.stop_all(stop)
    await house.wire.stop(make_device(ESP), stop)
    assert [body.get("auth_token") for _, body, _, _ in house.line.said] == [broadcast, device]


@pytest.mark.parametrize(
    ("generation", "asked"),
    [
        (FirmwareGeneration.NOVEMBER_2025, []),
        (FirmwareGeneration.APRIL_2026, ["exit_safe_mode"]),
        (FirmwareGeneration.UNKNOWN, ["exit_safe_mode", "resume_operation"]),
    ],
)
async def test_who_is_to_go_on_is_asked_in_words_that_its_firmware_knows(
    generation: FirmwareGeneration, asked: list[str]
) -> None:
    house = House()
    await house.wire.resume(make_device(ESP, firmware_generation=generation))
    assert [body["command"] for _, body, _, _ in house.line.said] == asked
    assert not any(urgent for _, _, _, urgent in house.line.said)


@pytest.mark.parametrize("generation", list(FirmwareGeneration))
def test_of_whom_it_is_not_sure_whether_they_hear_the_cure_is_said(
    generation: FirmwareGeneration,
) -> None:
    doubt = House().wire.doubt(make_device(ESP, firmware_generation=generation))
    eldest = generation is FirmwareGeneration.NOVEMBER_2025
    assert (doubt is not None and "switch it off and on again" in doubt) == eldest
