"""The control connection: heartbeats are answered, answers matched; history confirms nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from domain.actuators import ActuatorReport, Pin
from domain.devices import Device, DeviceHealth, Heartbeat, LastWill
from domain.errors import BrokerUnavailableError, DeviceSilentError
from domain.system_events import Severity
from mqtt_bridge.commands import CommandWire
from mqtt_bridge.configs import ConfigWire
from mqtt_bridge.control import INBOX, Control
from mqtt_bridge.devices import DeviceWire
from mqtt_bridge.session import Delivery
from mqtt_bridge.system_events import SystemEventWire
from tests.fakes import FakeClock, FakeReports, until
from tests.makers import make_command, make_device

P = "kaiser/god/esp/ESP_12AB34/"
RESPONSE = P + "actuator/5/response"


@dataclass
class FakeConnection:
    published: list[tuple[str, dict[str, object], int, bool]] = field(default_factory=list)
    expiries: list[timedelta | None] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    away: bool = False
    paused: bool = False

    async def publish(  # noqa: PLR0913 - what a message is made of
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        expiry: timedelta | None = None,
        permit: Callable[[], None] | None = None,
    ) -> None:
        if self.away:
            raise BrokerUnavailableError("the MQTT broker is not connected")
        if permit is not None:
            permit()
        self.expiries.append(expiry)
        self.published.append((topic, json.loads(payload), qos, retain))

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledged += [delivery.mid for delivery in deliveries]

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


@dataclass
class FakeWatch:
    device: Device | None = field(default_factory=make_device)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    wills: list[LastWill] = field(default_factory=list)
    reports: list[tuple[ActuatorReport, bool]] = field(default_factory=list)
    epochs: list[tuple[str, int]] = field(default_factory=list)
    signs: list[tuple[str, datetime]] = field(default_factory=list)

    async def heartbeat(self, heartbeat: Heartbeat) -> Device | None:
        self.heartbeats.append(heartbeat)
        return self.device

    async def heard(self, esp_id: str, at: datetime) -> None:
        self.signs.append((esp_id, at))

    async def announced(self, esp_id: str, handover_epoch: int) -> None:
        self.epochs.append((esp_id, handover_epoch))

    async def last_will(self, will: LastWill) -> None:
        self.wills.append(will)

    async def report(self, report: ActuatorReport, *, live: bool) -> None:
        self.reports.append((report, live))


@dataclass
class Notes:
    events: list[str] = field(default_factory=list)

    def warning(self, event: str, **_fields: object) -> None:
        self.events.append(event)


class Wire:
    def __init__(self) -> None:
        self.connection = FakeConnection()
        self.watch = FakeWatch()
        self.buried: list[str] = []
        self.notes = Notes()
        self.reports = FakeReports()
        self.has: list[tuple[Device, DeviceHealth]] = []
        self.waiting: set[str] = set()
        self.control = Control(
            connection=self.connection,
            clock=FakeClock(),
            bury=lambda _source, _delivery, reason: self.buried.append(reason),
        )
        self.commands = CommandWire(sender=self.control)
        self.configs = ConfigWire(sender=self.control)
        self.commands.attach(self.control)
        self.devices = DeviceWire(
            sender=self.control,
            watch=self.watch,
            clock=FakeClock(),
            journal=self.notes,
            configs=self,
            known=lambda: [device for device in (self.watch.device,) if device],
        )
        self.devices.attach(self.control)
        SystemEventWire(reports=self.reports, journal=self.notes).attach(self.control)
        self._mids = count(1)

    async def heard(self, device: Device, health: DeviceHealth) -> None:
        self.has.append((device, health))

    def waits(self, esp_id: str) -> bool:
        return esp_id in self.waiting

    def hear(self, topic: str, body: object, *, retain: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.control.hear(Delivery(topic, payload, 1, retain, next(self._mids), 1))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.control.run())
            yield
            task.cancel()


HEARTBEAT = {"ts": 1776900000, "esp_id": "ESP_12AB34", "uptime": 5, "active_handover_epoch": 4}


async def test_a_heartbeat_is_answered_with_its_epoch_on_the_level_it_was_heard_on() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear("kaiser//esp/ESP_12AB34/system/heartbeat", HEARTBEAT)
        await until(lambda: bool(wire.connection.published))
    topic, body, qos, retain = wire.connection.published[0]
    assert topic == "kaiser//esp/ESP_12AB34/system/heartbeat/ack"
    assert (body["status"], body["handover_epoch"]) == ("online", 4)
    assert (qos, retain) == (1, False)


@pytest.mark.parametrize("waits", [True, False])
async def test_a_heartbeat_ack_says_whether_a_configuration_waits_and_soon_expires(
    *, waits: bool
) -> None:
    wire = Wire()
    wire.waiting = {"ESP_12AB34"} if waits else {"ESP_FFFFFF"}
    async with wire.running():
        wire.hear(P + "system/heartbeat", HEARTBEAT)
        await until(lambda: bool(wire.connection.published))
    body = wire.connection.published[0][1]
    assert body["config_available"] is waits
    assert len(json.dumps(body)) < 256
    assert wire.connection.expiries == [timedelta(seconds=10)]


@pytest.mark.parametrize("device", [None, make_device(approved=False)])
async def test_a_device_that_nobody_approved_is_told_that_it_is_pending(
    device: Device | None,
) -> None:
    wire = Wire()
    wire.watch.device = device
    async with wire.running():
        wire.hear(P + "system/heartbeat", HEARTBEAT)
        await until(lambda: bool(wire.connection.published))
    assert wire.connection.published[0][1]["status"] == "pending_approval"


async def test_an_announced_epoch_counts_where_the_heartbeat_names_none() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "session/announce", {"esp_id": "ESP_12AB34", "handover_epoch": 7})
        wire.hear(P + "system/heartbeat", {"ts": 1776900000})
        await until(lambda: bool(wire.connection.published))
    assert wire.connection.published[0][1]["handover_epoch"] == 7


async def test_a_heartbeat_that_names_an_epoch_knows_better_than_what_was_announced() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "session/announce", {"esp_id": "ESP_12AB34", "handover_epoch": 7})
        wire.hear(P + "system/heartbeat", {"active_handover_epoch": 1})
        await until(lambda: bool(wire.connection.published))
    assert wire.connection.published[0][1]["handover_epoch"] == 1


async def test_an_epoch_that_was_announced_before_the_server_restarted_still_counts() -> None:
    wire = Wire()
    wire.watch.device = make_device(handover_epoch=5)
    async with wire.running():
        wire.hear(P + "system/heartbeat", {"active_handover_epoch": 0})
        await until(lambda: bool(wire.connection.published))
        wire.hear(P + "session/announce", {"handover_epoch": 6})
        wire.hear(P + "system/heartbeat", {"active_handover_epoch": 0})
        await until(lambda: len(wire.connection.published) == 2)
    assert [body["handover_epoch"] for _, body, _, _ in wire.connection.published] == [5, 6]
    assert wire.watch.epochs == [("ESP_12AB34", 6)]


async def test_the_epoch_is_1_where_nobody_ever_named_one() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "system/heartbeat", {"active_handover_epoch": 0})
        await until(lambda: bool(wire.connection.published))
    assert wire.connection.published[0][1]["handover_epoch"] == 1


@pytest.mark.parametrize(
    ("command", "approved", "answers"), [("OFF", True, 1), ("ON", True, 0), ("OFF", False, 0)]
)
async def test_who_refuses_to_switch_off_is_let_in_again_for_its_acknowledgement_may_be_lost(
    command: str,
    approved: bool,  # noqa: FBT001 - a parameter
    answers: int,
) -> None:
    wire = Wire()
    wire.watch.device = make_device("ESP_12AB34", approved=approved)
    said = {"gpio": 5, "command": command, "success": False, "message": "Command failed"}
    async with wire.running():
        wire.hear(P + "actuator/5/response", said)
        wire.hear(P + "actuator/5/response", {**said, "success": True})
        await until(lambda: len(wire.connection.acknowledged) == 2)
    assert [topic for topic, *_ in wire.connection.published] == answers * [
        P + "system/heartbeat/ack"
    ]


async def test_a_broker_that_is_away_costs_a_heartbeat_its_answer_and_nothing_else() -> None:
    wire = Wire()
    wire.connection.away = True
    async with wire.running():
        wire.hear(P + "system/heartbeat", HEARTBEAT)
        await until(lambda: wire.notes.events == ["heartbeat.not_answered"])
        wire.hear(P + "system/will", {"status": "offline", "reason": "unexpected_disconnect"})
        await until(lambda: bool(wire.watch.wills))


async def test_diagnostics_are_a_sign_of_life_that_nobody_answers() -> None:
    wire = Wire()
    said = {"ts": 60, "heap_free": 209952, "heap_min_free": 200760, "error_count": 2}
    async with wire.running():
        wire.hear(P + "system/diagnostics", said, retain=True)
        wire.hear(P + "system/diagnostics", said)
        await until(lambda: len(wire.connection.acknowledged) == 2)
    (heard,) = wire.watch.heartbeats
    assert (heard.health.min_free_heap_bytes, heard.health.error_count) == (200_760, 2)
    assert wire.connection.published == []


async def test_a_retained_will_or_heartbeat_is_history() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "system/will", {"status": "offline", "reason": "x"}, retain=True)
        wire.hear(P + "system/heartbeat", HEARTBEAT, retain=True)
        await until(lambda: len(wire.connection.acknowledged) == 2)
    assert wire.watch.wills == []
    assert wire.watch.heartbeats == []


async def test_what_cannot_be_read_is_buried_with_its_reason() -> None:
    wire = Wire()
    wire.hear(P + "actuator/5/status", b"{")
    wire.hear(P + "actuator/5/no_such_thing", {})
    assert len(wire.buried) == 2
    assert wire.connection.acknowledged == []


async def test_a_flood_stops_the_reading_until_it_is_worked_off() -> None:
    wire = Wire()
    for _ in range(INBOX):
        assert not wire.connection.paused
        wire.hear(P + "system/will", {"status": "offline", "reason": "x"})
    assert wire.connection.paused
    async with wire.running():
        await until(lambda: not wire.connection.paused, turns=10 * INBOX)
    assert len(wire.watch.wills) == len(wire.connection.acknowledged) == INBOX


async def test_an_alert_is_noted_and_reported_unless_it_is_history() -> None:
    wire = Wire()
    alert = {"gpio": 5, "alert_type": "runtime_protection", "message": "ran too long"}
    async with wire.running():
        wire.hear(P + "actuator/5/alert", alert, retain=True)
        wire.hear(P + "actuator/5/alert", alert)
        await until(lambda: len(wire.connection.acknowledged) == 2)
    assert wire.notes.events == ["actuator.alert"]
    assert wire.reports.said == [
        ("alert", Pin("ESP_12AB34", 5), "runtime_protection", "ran too long")
    ]


async def test_an_error_is_reported_by_number_or_name_unless_it_is_history() -> None:
    wire = Wire()
    newest = {"error_code": 1007, "severity": 2, "message": "timeout", "context": {"tries": 3}}
    documented = {"error_code": "GPIO_CONFLICT", "severity": "critical"}
    async with wire.running():
        wire.hear(P + "system/error", newest, retain=True)
        wire.hear(P + "system/error", newest)
        wire.hear(P + "system/error", documented)
        await until(lambda: len(wire.connection.acknowledged) == 3)
    first, second = wire.reports.said
    assert first[:5] == ("error", "ESP_12AB34", 1007, Severity.ERROR, "timeout")
    assert first[5] == {"tries": 3}
    assert second[:4] == ("error", "ESP_12AB34", "GPIO_CONFLICT", Severity.CRITICAL)


COMMAND = make_command(id=UUID("0f2b6c1e-1111-4222-8333-444455556666"))


async def test_a_command_goes_out_unretained_with_qos_2_and_its_id() -> None:
    wire = Wire()
    async with wire.commands.exchange(COMMAND, "god") as exchange:
        await exchange.publish(lambda: None)
    topic, body, qos, retain = wire.connection.published[0]
    assert topic == P + "actuator/5/command"
    assert (body["command"], body["value"], body["correlation_id"]) == ("ON", 1.0, str(COMMAND.id))
    assert (qos, retain) == (2, False)


@pytest.mark.parametrize(
    "answer",
    [
        {"gpio": 5, "command": "ON", "success": True, "correlation_id": str(COMMAND.id)},
        {"gpio": 5, "command": "ON", "success": True},
        {"gpio": 5, "success": True},
    ],
)
async def test_an_answer_is_matched_by_correlation_id_or_else_by_pin(
    answer: dict[str, object],
) -> None:
    wire = Wire()
    async with wire.commands.exchange(COMMAND, "god") as exchange:
        await exchange.publish(lambda: None)
        wire.hear(RESPONSE, answer)
        response = await exchange.response()
    assert response.success


async def test_who_does_not_answer_in_the_time_that_is_set_is_silent() -> None:
    wire = Wire()
    commands = CommandWire(sender=wire.control, answered_within=timedelta(milliseconds=20))
    async with commands.exchange(COMMAND, "god") as exchange:
        await exchange.publish(lambda: None)
        with pytest.raises(DeviceSilentError, match=r"did not answer within 0\.02 s"):
            await exchange.response()


async def test_an_answer_that_outruns_the_publishing_is_not_lost() -> None:
    wire = Wire()
    async with wire.commands.exchange(COMMAND, "god") as exchange:
        wire.hear(RESPONSE, {"gpio": 5, "command": "ON", "success": True})
        await exchange.publish(lambda: None)
        assert (await exchange.response()).success


@pytest.mark.parametrize(
    ("answer", "retain"),
    [
        ({"gpio": 5, "success": True, "correlation_id": "another"}, False),
        ({"gpio": 5, "success": True, "command": "OFF"}, False),
        ({"gpio": 5, "success": True, "command": "ON"}, True),
    ],
)
async def test_a_late_foreign_or_retained_answer_confirms_nothing(
    answer: dict[str, object], *, retain: bool
) -> None:
    wire = Wire()
    async with wire.commands.exchange(COMMAND, "god"):
        wire.hear(RESPONSE, answer, retain=retain)
        assert not wire.commands.outbox._open[Pin("ESP_12AB34", 5)][2].done()


async def test_an_answer_that_nobody_waits_for_is_counted_and_harmless() -> None:
    wire = Wire()
    wire.hear(RESPONSE, {"gpio": 5, "success": True})
    assert wire.commands.outbox.unmatched == 1


async def test_a_pin_has_one_open_command_at_most() -> None:
    wire = Wire()
    async with wire.commands.exchange(COMMAND, "god"):
        with pytest.raises(ValueError, match="under way"):
            async with wire.commands.exchange(COMMAND, "god"):
                pass


async def test_a_device_that_was_let_in_hears_so_at_once_with_the_epoch_it_last_named() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "system/heartbeat", HEARTBEAT)
        await until(lambda: bool(wire.connection.published))
        await wire.devices.admit(make_device("ESP_12AB34", kaiser_id="god"))
    topic, body, *_ = wire.connection.published[-1]
    assert topic == P + "system/heartbeat/ack"
    assert (body["status"], body["handover_epoch"]) == ("online", 4)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("actuator/emergency/ack", {"ts": 0, "command": "emergency_stop", "outcome": "executed"}),
        ("actuator/emergency/response", {"ts": 0, "status": "emergency_stopped"}),
    ],
)
async def test_who_answers_an_emergency_order_is_there(topic: str, body: dict[str, object]) -> None:
    # Else a device whose heartbeats were lost would never be told that its emergency is over.
    wire = Wire()
    async with wire.running():
        wire.hear(P + topic, {"esp_id": "ESP_12AB34", **body})
        await until(lambda: bool(wire.watch.signs))
        wire.hear(P + topic, {"esp_id": "ESP_12AB34", **body}, retain=True)
        await until(lambda: {*wire.connection.acknowledged} == {1, 2})
    assert [esp_id for esp_id, _ in wire.watch.signs] == ["ESP_12AB34"]
