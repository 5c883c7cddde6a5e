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


SMALLEST: dict[Kind, dict[str, object]] = {
    Kind.SENSOR_BATCH: {"sensors": [{"gpio": 4, "sensor_type": "ph", "raw": 1}]},
    Kind.SESSION_ANNOUNCE: {"handover_epoch": 1},
    Kind.WILL: {"status": "offline"},
    Kind.ACTUATOR_STATUS: {"type": "pump", "state": True},
    Kind.ACTUATOR_RESPONSE: {"success": True},
    Kind.ACTUATOR_ALERT: {"type": "fault"},
    Kind.SYSTEM_ERROR: {"error_code": 1002, "severity": 2},
    Kind.SAFE_MODE: {"safe_mode_active": True},
    Kind.SYSTEM_COMMAND_RESPONSE: {"command": "status", "success": True},
    Kind.SYSTEM_RESPONSE: {"command": "status", "success": True},
    Kind.INTENT_OUTCOME: {"flow": "command", "outcome": "applied"},
    Kind.QUEUE_PRESSURE: {"event": "recovered"},
    Kind.AUTH_STATUS: {"success": True},
    Kind.TRIAL_RESPONSE: {"test_id": "t", "status": "ok"},
    Kind.EMERGENCY_ACK: {"command": "emergency_stop", "outcome": "executed"},
    Kind.EMERGENCY_RESPONSE: {"status": "emergency_cleared"},
    Kind.EMERGENCY_ERROR: {"error": "unauthorized"},
    Kind.RECOVERY_CONFIRM: {"state": "cleared"},
    Kind.MEASURE_RESPONSE: {"request_id": "r", "success": True},
    Kind.ONEWIRE_SCAN: {"devices": []},
    Kind.PROCESSING_REQUEST: {"gpio": 4, "sensor_type": "ph", "raw_value": 1},
    Kind.LIBRARY_REQUEST: {"library_name": "l", "request_id": "r"},
    Kind.LIBRARY_DOWNLOAD_READY: {"download_id": "d", "ready": True},
    Kind.LIBRARY_CHUNK_ACK: {
        "download_id": "d",
        "chunk_index": 0,
        "received": True,
    },
    Kind.LIBRARY_CHUNK_REQUEST: {"download_id": "d", "chunk_index": 0},
    Kind.LIBRARY_DOWNLOAD_STATUS: {
        "download_id": "d",
        "library_name": "l",
        "success": True,
        "crc_valid": True,
    },
    Kind.LIBRARY_INSTALLED: {"library_name": "l", "success": True},
    Kind.LIBRARY_ERROR: {"error_type": "storage"},
    Kind.LIBRARY_DOWNLOAD_ABORT: {"download_id": "d"},
    Kind.SENSOR_DATA: {"sensor_type": "ph", "raw": 1},
    Kind.ZONE_SENSOR_DATA: {"sensor_type": "ph", "raw": 1},
    Kind.CONFIG_RESPONSE: {"status": "success"},
    Kind.CONFIG_ACK: {"status": "success"},
    Kind.ZONE_ACK: {"status": "zone_assigned"},
    Kind.SUBZONE_ACK: {"status": "subzone_assigned"},
}
"""What a message must at least say, where it must say anything."""


def topic_of(kind: Kind, gpio: int = 4) -> Topic:
    levels = {name: level for name, level in _LEVELS.items() if name in kind.levels}
    return Topic(kind, **levels, gpio=gpio if "gpio" in kind.levels else None)


def read(kind: Kind, body: object, *, gpio: int = 4) -> Inbound:
    return decode(topic_of(kind, gpio), json.dumps(body).encode(), NOW)


def refusal(kind: Kind, body: object) -> str:
    with pytest.raises(MalformedPayloadError) as caught:
        read(kind, body)
    return str(caught.value)
