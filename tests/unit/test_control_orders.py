"""Orders go out in the words of the device; only its own live answer ends them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from domain.actuators import Pin
from domain.devices import FirmwareGeneration
from domain.errors import BrokerUnavailableError
from domain.orders import DeviceOrder, OneWireChip, OrderAnswer, OrderKind
from mqtt_bridge.orders import OrderWire
from tests.fakes import until
from tests.makers import make_device
from tests.unit.test_control import COMMAND, P, Wire

ESP = "ESP_12AB34"
ID = UUID("0f2b6c1e-1111-4222-8333-444455556666")
ROM = "28FF641E8D3C0C79"


class Post(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Sequence[tuple[str, str, int | None]]]] = []
        self.orders = OrderWire(
            sender=self.control, found=lambda esp_id, chips: self.found.append((esp_id, chips))
        )
        self.orders.attach(self.control)

    @asynccontextmanager
    async def ordering(
        self, kind: OrderKind, gpio: int | None = None
    ) -> AsyncIterator["asyncio.Task[OrderAnswer]"]:
        """Give an order that waits for its answer."""
        order = DeviceOrder(id=ID, esp_id=ESP, kind=kind, gpio=gpio)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(self.orders.carry_out(order, "god"))
            await until(lambda: bool(self.connection.published))
            yield waiting
            waiting.cancel()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (OrderKind.RESTART, {"command": "reboot"}),
        (OrderKind.FACTORY_RESET, {"command": "factory_reset", "confirm": True}),
        (OrderKind.ENTER_SAFE_MODE, {"command": "safe_mode"}),
        (OrderKind.LEAVE_SAFE_MODE, {"command": "exit_safe_mode"}),
        (OrderKind.DIAGNOSE, {"command": "diagnostics"}),
    ],
)
async def test_an_order_goes_out_in_lower_case_unretained_with_its_id(
    kind: OrderKind, body: dict[str, object]
) -> None:
    post = Post()
    async with post.ordering(kind):
        ((topic, sent, qos, retain),) = post.connection.published
    assert topic == P + "system/command"
    assert sent == {**body, "correlation_id": str(ID)}
    assert (qos, retain) == (2, False)


@pytest.mark.parametrize("topic", ["system/command/response", "system/response"])
@pytest.mark.parametrize("more", [{}, {"correlation_id": str(ID)}])
async def test_an_answer_on_either_topic_ends_it(topic: str, more: dict[str, str]) -> None:
    post = Post()
    async with post.ordering(OrderKind.DIAGNOSE) as waiting:
        post.hear(P + topic, {"command": "diagnostics", "success": True, "heap_free": 9000, **more})
        answer = await waiting
    assert answer == OrderAnswer(success=True, details={"heap_free": 9000})


async def test_earliest_firmware_only_tells_that_its_reset_began() -> None:
    post = Post()
    async with post.ordering(OrderKind.FACTORY_RESET) as waiting:
        post.hear(
            P + "system/command/response", {"status": "factory_reset_initiated", "esp_id": ESP}
        )
        assert (await waiting).success


async def test_an_answer_that_outruns_the_publishing_is_not_lost() -> None:
    post = Post()
    async with asyncio.TaskGroup() as tasks:
        order = DeviceOrder(id=ID, esp_id=ESP, kind=OrderKind.DIAGNOSE)
        waiting = tasks.create_task(post.orders.carry_out(order, "god"))
        await until(lambda: ESP in post.orders._open)
        post.hear(P + "system/response", {"command": "diagnostics", "success": True})
        assert (await waiting).success


@pytest.mark.parametrize(
    ("body", "retain"),
    [
        ({"command": "diagnostics", "success": True, "correlation_id": "another"}, False),
        ({"command": "status", "success": True}, False),
        ({"command": "diagnostics", "success": True}, True),
    ],
)
async def test_a_late_foreign_or_retained_answer_ends_nothing(
    body: dict[str, object], *, retain: bool
) -> None:
    post = Post()
    async with post.ordering(OrderKind.DIAGNOSE):
        post.hear(P + "system/command/response", body, retain=retain)
        assert not post.orders._open[ESP].answer.done()


async def test_an_answer_that_nobody_waits_for_is_counted() -> None:
    post = Post()
    post.hear(P + "system/response", {"command": "diagnostics", "success": True})
    post.hear(P + "sensor/4/response", {"request_id": "x", "success": True})
    assert post.orders.unmatched == 2


async def test_a_search_ends_with_what_was_found() -> None:
    post = Post()
    async with post.ordering(OrderKind.SCAN_ONEWIRE, 4) as waiting:
        assert post.connection.published[0][1]["pin"] == 4
        post.hear(P + "system/command/response", {"command": "onewire/scan", "success": True})
        assert not waiting.done()
        device = {"rom_code": ROM.lower(), "device_type": "DS18B20", "pin": 4}
        post.hear(P + "onewire/scan_result", {"devices": [device], "found_count": 1})
        answer = await waiting
    assert answer.chips == (OneWireChip(ROM, "ds18b20", 4),)
    assert not post.found


async def test_a_search_that_failed_ends_at_once() -> None:
    post = Post()
    async with post.ordering(OrderKind.SCAN_ONEWIRE) as waiting:
        refusal = {"command": "onewire/scan", "success": False, "error": "bus not initialized"}
        post.hear(P + "system/command/response", refusal)
        answer = await waiting
    assert (answer.success, answer.message) == (False, "bus not initialized")


async def test_what_was_found_without_an_order_is_told() -> None:
    post = Post()
    post.hear(P + "onewire/scan_result", {"devices": [{"rom_code": ROM}], "found_count": 1})
    assert post.found == [(ESP, [(ROM, "", None)])]


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (
            {"success": True, "raw": 361, "sensor_type": "DS18B20", "reason_code": "NONE"},
            OrderAnswer(
                success=True,
                details={"sensor_type": "ds18b20", "published": True},
                raw_value=361.0,
            ),
        ),
        (
            {"success": False, "reason_code": "SENSOR_INACTIVE"},
            OrderAnswer(
                success=False,
                message="SENSOR_INACTIVE",
                details={"sensor_type": "", "published": False},
            ),
        ),
        (
            {"success": False, "timeout": True},
            OrderAnswer(
                success=False,
                message="it took too long",
                details={"sensor_type": "", "published": False},
            ),
        ),
    ],
)
async def test_a_measurement_is_asked_of_its_pin_and_answered_by_its_id(
    told: dict[str, Any], answer: OrderAnswer
) -> None:
    post = Post()
    async with post.ordering(OrderKind.MEASURE, 4) as waiting:
        topic, body, *_ = post.connection.published[0]
        assert topic == P + "sensor/4/command"
        assert (body["command"], body["timeout_ms"]) == ("measure", 5000)
        post.hear(P + "sensor/4/response", {"request_id": "another", "success": True})
        assert not waiting.done()
        post.hear(P + "sensor/4/response", {"request_id": body["request_id"], **told})
        assert await waiting == answer


# ---------------------------------------------------------------- intents


@pytest.mark.parametrize("name", ["intent_id", "correlation_id"])
async def test_a_refused_intent_ends_the_order_with_its_reason(name: str) -> None:
    post = Post()
    async with post.ordering(OrderKind.DIAGNOSE) as waiting:
        told = {"flow": "command", name: str(ID), "code": "REGISTRATION_PENDING"}
        post.hear(P + "system/intent_outcome", {**told, "outcome": "accepted"})
        assert not waiting.done()
        post.hear(P + "system/intent_outcome", {**told, "outcome": "rejected"})
        answer = await waiting
    assert not answer.success
    assert "it still waits for the server's answer to its heartbeat" in answer.message


async def test_a_refused_intent_ends_the_command_with_its_reason() -> None:
    wire = Wire()
    told = {"flow": "command", "intent_id": "i", "correlation_id": str(COMMAND.id)}
    async with wire.commands.exchange(COMMAND, "god") as exchange:
        await exchange.publish(lambda: None)
        for change in ({"outcome": "accepted"}, {"outcome": "failed", "correlation_id": "x"}):
            wire.hear(P + "system/intent_outcome", {**told, **change})
        wire.hear("kaiser/god/esp/ESP_OTHER1/system/intent_outcome", {**told, "outcome": "failed"})
        assert not wire.commands.outbox._open[Pin(ESP, 5)][2].done()
        wire.hear(
            P + "system/intent_outcome", {**told, "outcome": "rejected", "code": "SAFETY_LOCKED"}
        )
        response = await exchange.response()
    assert not response.success
    assert response.message == (
        "the device refused: it is stopped for safety; end the emergency stop first (SAFETY_LOCKED)"
    )


# ---------------------------------------------------------------- what stands in the way


async def test_a_broker_that_is_away_leaves_nothing_open() -> None:
    post = Post()
    post.connection.away = True
    order = DeviceOrder(id=ID, esp_id=ESP, kind=OrderKind.DIAGNOSE)
    for _ in range(2):
        with pytest.raises(BrokerUnavailableError):
            await post.orders.carry_out(order, "god")


@pytest.mark.parametrize(
    ("kind", "generation", "said"),
    [
        (OrderKind.RESTART, FirmwareGeneration.NOVEMBER_2025, "switch it off and on"),
        (OrderKind.RESTART, FirmwareGeneration.APRIL_2026, "switch it off and on"),
        (OrderKind.ENTER_SAFE_MODE, FirmwareGeneration.DECEMBER_2025, "emergency stop"),
        (OrderKind.LEAVE_SAFE_MODE, FirmwareGeneration.DECEMBER_2025, "switch it off and on"),
        (OrderKind.DIAGNOSE, FirmwareGeneration.FEBRUARY_2026, "in its own rhythm"),
        (OrderKind.SCAN_ONEWIRE, FirmwareGeneration.NOVEMBER_2025, "with setSensor"),
        (OrderKind.MEASURE, FirmwareGeneration.NOVEMBER_2025, "in its own rhythm"),
        (OrderKind.FACTORY_RESET, FirmwareGeneration.NOVEMBER_2025, None),
        (OrderKind.SCAN_ONEWIRE, FirmwareGeneration.FEBRUARY_2026, None),
        (OrderKind.ENTER_SAFE_MODE, FirmwareGeneration.APRIL_2026, None),
        (OrderKind.RESTART, FirmwareGeneration.UNKNOWN, None),
    ],
)
def test_what_a_generation_cannot_do_has_a_reason_with_the_cure(
    kind: OrderKind, generation: FirmwareGeneration, said: str | None
) -> None:
    device = make_device(ESP, firmware_generation=generation)
    order = DeviceOrder(id=ID, esp_id=ESP, kind=kind, gpio=4)
    obstacle = OrderWire.obstacle(order, device)
    assert (obstacle is None) if said is None else (obstacle is not None and said in obstacle)
