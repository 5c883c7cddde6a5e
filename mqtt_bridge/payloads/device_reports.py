"""What devices report of themselves beside heartbeats: diagnostics, errors, answers, pressure.

Field names and their meaning: device protocol, sections 1.3 to 1.6, 1.11 and 1.13.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from domain.devices import DeviceHealth, FirmwareEvidence, FirmwareGeneration
from domain.system_events import Severity
from mqtt_bridge.messages import (
    AuthStatus,
    DeviceError,
    Diagnostics,
    Discovery,
    HeartbeatMetrics,
    QueuePressure,
    SafeMode,
    SystemResponse,
    TrialResponse,
)
from mqtt_bridge.payloads.fields import (
    LARGEST_WHOLE,
    MESSAGE_LIMIT,
    WORD_LIMIT,
    check_sender,
    details,
    first,
    origin,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

_HIGHEST_CODE = 65_535
_FACTORY_RESET = "factory_reset"
_EARLY = FirmwareEvidence(FirmwareGeneration.NOVEMBER_2025, FirmwareGeneration.DECEMBER_2025)
_LATER = FirmwareEvidence(oldest=FirmwareGeneration.FEBRUARY_2026)
_NEWEST = FirmwareEvidence(oldest=FirmwareGeneration.APRIL_2026)
_PRESSURE = {"entered_pressure": True, "enter": True, "recovered": False}
_IN_HEALTH = {
    "ts",
    "esp_id",
    "heap_free",
    "heap",
    "free_heap",
    "heap_min_free",
    "heap_fragmentation",
    "uptime",
    "uptime_seconds",
    "error_count",
    "wifi_rssi",
    "sensor_count",
    "actuator_count",
    "system_state",
    "state",
    "boot_sequence_id",
    "reset_reason",
}

_Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_WHOLE)]
_Signal = Annotated[int, msgspec.Meta(ge=-128, le=127)]


class _Diagnostics(msgspec.Struct, kw_only=True):
    esp_id: str | None = None
    heap_free: _Count | None = None
    heap: _Count | None = None
    free_heap: _Count | None = None
    heap_min_free: _Count | None = None
    heap_fragmentation: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    uptime_seconds: _Count | None = None
    uptime: _Count | None = None
    error_count: _Count | None = None
    wifi_rssi: _Signal | None = None
    sensor_count: _Count | None = None
    actuator_count: _Count | None = None
    system_state: Any = None
    state: Any = None
    boot_sequence_id: str | None = None
    reset_reason: str | None = None


class _Error(msgspec.Struct, kw_only=True):
    error_code: int | str
    severity: int | str
    esp_id: str | None = None
    category: Any = None
    message: Any = None
    context: Any = None


class _SafeMode(msgspec.Struct, kw_only=True):
    safe_mode_active: bool
    esp_id: str | None = None
    reason: Any = None


class _Response(msgspec.Struct, kw_only=True):
    esp_id: str | None = None
    command: str | None = None
    success: bool | None = None
    status: Any = None
    message: Any = None
    error: Any = None
    correlation_id: Any = None


class _Pressure(msgspec.Struct, kw_only=True):
    event: str
    esp_id: str | None = None
    fill_level: Any = None
    queue_fill: Any = None
    high_watermark: Any = None
    shed_count: Any = None
    drop_count: Any = None


class _AuthStatus(msgspec.Struct, kw_only=True):
    success: bool
    mode: Any = None
    esp_id: str | None = None
    username: Any = None
    error: Any = None


class _Trial(msgspec.Struct, kw_only=True):
    test_id: str
    status: str
    esp_id: str | None = None
    command: Any = None
    data: Any = None
    error: Any = None


class _Object(msgspec.Struct, kw_only=True):
    esp_id: str | None = None


_DIAGNOSTICS = msgspec.json.Decoder(_Diagnostics, strict=False)
_ERROR = msgspec.json.Decoder(_Error)
_SAFE_MODE = msgspec.json.Decoder(_SafeMode, strict=False)
_RESPONSE = msgspec.json.Decoder(_Response, strict=False)
_PRESSURE_EVENT = msgspec.json.Decoder(_Pressure)
_AUTH_STATUS = msgspec.json.Decoder(_AuthStatus, strict=False)
_TRIAL = msgspec.json.Decoder(_Trial, strict=False)
_OBJECT = msgspec.json.Decoder(_Object)
_ANYTHING = msgspec.json.Decoder(dict[str, Any])

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.DIAGNOSTICS: _Diagnostics,
    Kind.SYSTEM_ERROR: _Error,
    Kind.SAFE_MODE: _SafeMode,
    Kind.SYSTEM_COMMAND_RESPONSE: _Response,
    Kind.SYSTEM_RESPONSE: _Response,
    Kind.QUEUE_PRESSURE: _Pressure,
    Kind.AUTH_STATUS: _AuthStatus,
    Kind.TRIAL_RESPONSE: _Trial,
    Kind.HEARTBEAT_METRICS: _Object,
    Kind.DISCOVERY: _Object,
}


def diagnostics(topic: Topic, payload: bytes, received_at: datetime) -> Diagnostics:
    """Read a health report: it is worth nothing but its numbers, so these must hold."""
    body = _DIAGNOSTICS.decode(payload)
    check_sender(topic, body.esp_id)
    state = text(first(body.system_state, body.state), WORD_LIMIT).upper()
    health = DeviceHealth(
        reported_at=received_at,
        system_state=state or "UNKNOWN",
        uptime_seconds=first(body.uptime_seconds, body.uptime),
        free_heap_bytes=first(body.heap_free, body.heap, body.free_heap),
        min_free_heap_bytes=body.heap_min_free,
        heap_fragmentation_percent=body.heap_fragmentation,
        wifi_rssi_dbm=body.wifi_rssi,
        safe_mode=state.startswith("SAFE_MODE"),
        sensor_count=body.sensor_count,
        actuator_count=body.actuator_count,
        error_count=body.error_count,
        boot_sequence_id=text(body.boot_sequence_id, WORD_LIMIT) or None,
        reset_reason=text(body.reset_reason, WORD_LIMIT).upper() or None,
    )
    return Diagnostics(
        **origin(topic, received_at),
        health=health,
        details=details(_ANYTHING.decode(payload), without=_IN_HEALTH),
        firmware=_NEWEST if body.boot_sequence_id else None,
    )


def metrics(topic: Topic, payload: bytes, received_at: datetime) -> HeartbeatMetrics:
    """Read the counters of the newest firmware."""
    body = _plain(topic, payload)
    return HeartbeatMetrics(
        **origin(topic, received_at),
        counters=details(body, without={"esp_id", "ts"}),
    )


def error(topic: Topic, payload: bytes, received_at: datetime) -> DeviceError:
    """Read a fault: by number in firmware, by name in the document."""
    body = _ERROR.decode(payload)
    context = details(body.context)
    for esp_id in (body.esp_id, context.pop("esp_id", None)):
        check_sender(topic, esp_id if isinstance(esp_id, str) else None)
    code = whole(body.error_code, highest=_HIGHEST_CODE)
    name = text(body.error_code, WORD_LIMIT).upper() if code is None else ""
    if code is None and not name:
        raise ValueError(f"the error_code {str(body.error_code)[:40]!r} is neither number nor name")
    return DeviceError(
        **origin(topic, received_at),
        code=code,
        name=name,
        severity=Severity.of(body.severity),
        category=text(body.category, WORD_LIMIT).upper(),
        message=text(body.message, MESSAGE_LIMIT),
        details=context,
    )


def safe_mode(topic: Topic, payload: bytes, received_at: datetime) -> SafeMode:
    """Read that safe mode began or ended."""
    body = _SAFE_MODE.decode(payload)
    check_sender(topic, body.esp_id)
    return SafeMode(
        **origin(topic, received_at),
        active=body.safe_mode_active,
        reason=text(body.reason, MESSAGE_LIMIT),
    )


def response(topic: Topic, payload: bytes, received_at: datetime) -> SystemResponse:
    """Read the answer to a system command; earliest firmware only tells that a reset began."""
    body = _RESPONSE.decode(payload)
    check_sender(topic, body.esp_id)
    status = text(body.status, WORD_LIMIT)
    early = body.command is None and status.startswith(_FACTORY_RESET)
    command = _FACTORY_RESET if early else text(body.command, WORD_LIMIT).lower()
    if not command:
        raise ValueError("the command that is answered is missing")
    success = True if early else body.success
    if success is None:
        raise ValueError("whether it succeeded is missing")
    known = {"esp_id", "command", "success", "message", "correlation_id", "ts", "seq"}
    by_firmware = topic.kind is Kind.SYSTEM_COMMAND_RESPONSE
    return SystemResponse(
        **origin(topic, received_at),
        command=command,
        success=success,
        message=text(first(body.message, body.error, body.status), MESSAGE_LIMIT),
        correlation_id=text(body.correlation_id, WORD_LIMIT) or None,
        details=details(_ANYTHING.decode(payload), without=known),
        firmware=(_EARLY if early else _LATER) if by_firmware else None,
    )


def pressure(topic: Topic, payload: bytes, received_at: datetime) -> QueuePressure:
    """Read that a device's outgoing queue fills up, or is well again."""
    body = _PRESSURE_EVENT.decode(payload)
    check_sender(topic, body.esp_id)
    entered = _PRESSURE.get(body.event.lower())
    if entered is None:
        raise ValueError(f"the event {body.event[:40]!r} neither enters nor leaves pressure")
    return QueuePressure(
        **origin(topic, received_at),
        entered=entered,
        fill_level=whole(body.fill_level, body.queue_fill),
        high_watermark=whole(body.high_watermark),
        shed_count=whole(body.shed_count),
        drop_count=whole(body.drop_count),
    )


def auth_status(topic: Topic, payload: bytes, received_at: datetime) -> AuthStatus:
    """Read how a device fared with new credentials."""
    body = _AUTH_STATUS.decode(payload)
    check_sender(topic, body.esp_id)
    return AuthStatus(
        **origin(topic, received_at),
        success=body.success,
        mode=text(body.mode, WORD_LIMIT).lower(),
        username=text(body.username, WORD_LIMIT),
        error=text(body.error, MESSAGE_LIMIT),
    )


def trial(topic: Topic, payload: bytes, received_at: datetime) -> TrialResponse:
    """Read a mock device's answer."""
    body = _TRIAL.decode(payload)
    check_sender(topic, body.esp_id)
    return TrialResponse(
        **origin(topic, received_at),
        trial_id=text(body.test_id, WORD_LIMIT),
        success=body.status.lower() == "ok",
        command=text(body.command, WORD_LIMIT),
        error=text(body.error, MESSAGE_LIMIT),
        details=details(body.data),
    )


def discovery(topic: Topic, payload: bytes, received_at: datetime) -> Discovery:
    """Read a discovery; its topic names no device, its payload may."""
    body = _ANYTHING.decode(payload)
    esp_id = body.get("esp_id")
    if isinstance(esp_id, str) and esp_id:
        Topic(Kind.HEARTBEAT, topic.kaiser_id, esp_id)  # such a device could not be answered
    return Discovery(
        esp_id=text(esp_id, WORD_LIMIT),
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        details=details(body, without={"esp_id"}),
    )


def _plain(topic: Topic, payload: bytes) -> dict[str, Any]:
    check_sender(topic, _OBJECT.decode(payload).esp_id)
    return _ANYTHING.decode(payload)
