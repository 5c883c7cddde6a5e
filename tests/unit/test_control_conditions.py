"""What devices tell of their inner state reaches whoever tells growers, and history does not."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from domain.relays import RelayHealth
from mqtt_bridge.conditions import ConditionWire
from tests.fakes import START, until
from tests.unit.test_control import P, Wire

ESP = "ESP_12AB34"


@dataclass
class FakeConditions:
    """Remembers what it is told, in the order of its arguments."""

    said: list[tuple[Any, ...]] = field(default_factory=list)

    def intent(self, *what: Any, **how: Any) -> None:  # noqa: ANN401 - all of it is remembered
        self.said.append(("intent", *what, *how.values()))

    def queue_pressure(self, *what: Any, **how: Any) -> None:  # noqa: ANN401 - as above
        self.said.append(("pressure", *what, *how.values()))

    def counters(self, *what: Any) -> None:  # noqa: ANN401 - as above
        self.said.append(("counters", *what))

    def credentials(self, *what: Any, **how: Any) -> None:  # noqa: ANN401 - as above
        self.said.append(("credentials", *what, *how.values()))

    def onewire_found(self, *what: Any) -> None:  # noqa: ANN401 - as above
        self.said.append(("found", *what))

    async def discovered(self, esp_id: str, kaiser_id: str) -> None:
        self.said.append(("discovered", esp_id, kaiser_id))

    async def safe_mode(self, esp_id: str, at: datetime, *, active: bool, reason: str) -> None:
        self.said.append(("safe mode", esp_id, at, active, reason))

    async def heard(self, kaiser_id: str, at: datetime, health: RelayHealth) -> None:
        self.said.append(("relay", kaiser_id, at, health))


MESSAGES: list[tuple[str, dict[str, object], tuple[Any, ...]]] = [
    (
        P + "system/intent_outcome",
        {"flow": "command", "intent_id": "i1", "outcome": "rejected", "code": "SAFETY_LOCKED"},
        ("intent", ESP, "i1", "rejected", "command", "SAFETY_LOCKED", ""),
    ),
    (
        P + "system/queue_pressure",
        {"event": "entered_pressure", "fill_level": 7, "drop_count": 2},
        ("pressure", ESP, True, {"fill_level": 7, "drop_count": 2}),
    ),
    (
        P + "system/heartbeat_metrics",
        {"esp_id": ESP, "ts": 5, "publish_outbox_drop_count": 3},
        ("counters", ESP, {"publish_outbox_drop_count": 3}),
    ),
    (
        P + "mqtt/auth_status",
        {"success": False, "mode": "anonymous", "error": "refused"},
        ("credentials", ESP, False, "anonymous", "refused"),
    ),
    (
        P + "safe_mode",
        {"esp_id": ESP, "safe_mode_active": True, "reason": "watchdog"},
        ("safe mode", ESP, START, True, "watchdog"),
    ),
    (
        "kaiser/god/discovery/esp32_nodes",
        {"esp_id": "ESP_NEW123", "ip": "10.0.0.9"},
        ("discovered", "ESP_NEW123", "god"),
    ),
    (
        "kaiser/god/relay/kaiser_001/heartbeat",
        {"ts": 5, "kaiser_id": "kaiser_001", "relay_clients": ["ESP_1", "ESP_2"]},
        ("relay", "kaiser_001", START, RelayHealth(clients=("ESP_1", "ESP_2"))),
    ),
]


@pytest.mark.parametrize(("topic", "body", "said"), MESSAGES)
async def test_each_kind_reaches_who_tells_it(
    topic: str, body: dict[str, object], said: tuple[Any, ...]
) -> None:
    wire, told = Wire(), FakeConditions()
    ConditionWire(conditions=told, watch=told, relays=told).attach(wire.control)
    async with wire.running():
        wire.hear(topic, body, retain=True)
        wire.hear(topic, body)
        await until(lambda: len(wire.connection.acknowledged) == 2)
    assert told.said == [said]
    assert not wire.buried


async def test_a_discovery_without_a_device_is_nothing() -> None:
    wire, told = Wire(), FakeConditions()
    ConditionWire(conditions=told, watch=told, relays=told).attach(wire.control)
    async with wire.running():
        wire.hear("kaiser/god/discovery/esp32_nodes", {"ip": "10.0.0.9"})
        await until(lambda: len(wire.connection.acknowledged) == 1)
    assert told.said == []
