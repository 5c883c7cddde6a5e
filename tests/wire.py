"""What tests of the wire share: one device, one moment, and short ways to make it say something."""

import json
from datetime import UTC, datetime

import pytest

from mqtt_bridge.messages import Inbound
from mqtt_bridge.payloads import MalformedPayloadError, decode
from mqtt_bridge.topics import Kind, Topic

ESP = "ESP_12AB34"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECONDS = 1_776_900_000
COMMAND_ID = "0f2b6c1e-1111-4222-8333-444455556666"


_LEVELS = {
    "kaiser_id": "god",
    "esp_id": ESP,
    "zone_id": "zone",
    "subzone_id": "bench",
}


def topic_of(kind: Kind, gpio: int = 4) -> Topic:
    levels = {name: level for name, level in _LEVELS.items() if name in kind.levels}
    return Topic(kind, **levels, gpio=gpio if "gpio" in kind.levels else None)


def read(kind: Kind, body: object, *, gpio: int = 4) -> Inbound:
    return decode(topic_of(kind, gpio), json.dumps(body).encode(), NOW)


def refusal(kind: Kind, body: object) -> str:
    with pytest.raises(MalformedPayloadError) as caught:
        read(kind, body)
    return str(caught.value)
