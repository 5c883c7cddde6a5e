"""Topic names, read and written from one table.

Whatever the server hears or says has a row in `Kind`: the shape of its topic, who writes it, how it
is delivered, and which broker connection carries it. A new message of the protocol is a new row.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum, auto
from functools import lru_cache

from typing_extensions import override

from domain.actuators import ACK_TIMEOUT
from domain.configs import ANSWER_TIMEOUT

GOD = "god"
"""The kaiser level of this server itself, where no relay stands between."""

_DEVICE = "kaiser/{kaiser_id}/esp/{esp_id}/"
_LIBRARY = _DEVICE + "library/"
_ZONE_MASTER = f"kaiser/{GOD}/zone/{{zone_id}}/esp/{{esp_id}}/subzone/{{subzone_id}}/"

_NAME = r"[^/+#\x00-\x1f\x7f\ud800-\udfff]"
"""A character of a free name: none of MQTT's own, no control character, no half of a character."""

_LEVELS = {
    "kaiser_id": rf"{_NAME}{{0,63}}",
    "esp_id": r"[A-Z][A-Z0-9_]{2,31}",
    "zone_id": rf"{_NAME}{{1,63}}",
    "subzone_id": rf"{_NAME}{{1,63}}",
    "gpio": r"[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]",
}
"""What the variable levels of a topic may hold; a pin has one spelling: no leading zeros."""

_ACK_EXPIRY = timedelta(seconds=10)
"""After that, the time of day in a heartbeat ack would set a clock wrong."""

_PROCESSING_EXPIRY = timedelta(seconds=5)
"""How long a device waits for a raw value to be converted (device protocol, section 3.1)."""

_VARIABLE = re.compile(r"\{(\w+)\}")

_REMEMBERED = 16_384
"""Parsed names that are kept: the same few thousand come again and again."""


class Direction(StrEnum):
    """Who a message is for."""

    TO_SERVER = auto()
    TO_DEVICE = auto()


class Connection(StrEnum):
    """Which of the server's two broker connections carries a message.

    Readings have one of their own, so that a flood of them never delays a command.
    """

    TELEMETRY = auto()
    CONTROL = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """How one kind of message travels.

    Attributes:
        pattern: The topic, its variable levels in braces.
        qos: The quality of service it is published and subscribed with.
        retain: Whether the broker keeps the last one.
        direction: Who it is for.
        connection: Which connection of the server carries it.
        expiry: How long the broker may hold it for a device that is away, where the broker speaks
            MQTT 5: as long as its answer is awaited. None: however late, it is still right.
    """

    pattern: str
    qos: int
    retain: bool = False
    direction: Direction = Direction.TO_SERVER
    connection: Connection = Connection.CONTROL
    expiry: timedelta | None = None


def _to_device(pattern: str, qos: int, expiry: timedelta | None = None) -> Route:
    return Route(pattern, qos, direction=Direction.TO_DEVICE, expiry=expiry)


class Kind(Enum):
    """The messages of the protocol (device protocol, section 1.1)."""

    SENSOR_DATA = Route(_DEVICE + "sensor/{gpio}/data", 1, connection=Connection.TELEMETRY)
    SENSOR_BATCH = Route(_DEVICE + "sensor/batch", 1, connection=Connection.TELEMETRY)
    ZONE_SENSOR_DATA = Route(
        _ZONE_MASTER + "sensor/{gpio}/data", 1, connection=Connection.TELEMETRY
    )
    SESSION_ANNOUNCE = Route(_DEVICE + "session/announce", 1)
    HEARTBEAT = Route(_DEVICE + "system/heartbeat", 0)
    SHORT_HEARTBEAT = Route(_DEVICE + "heartbeat", 0)
    HEARTBEAT_ACK = _to_device(_DEVICE + "system/heartbeat/ack", 1, _ACK_EXPIRY)
    WILL = Route(_DEVICE + "system/will", 1, retain=True)
    STATUS = Route(_DEVICE + "status", 1, retain=True)
    ACTUATOR_COMMAND = _to_device(_DEVICE + "actuator/{gpio}/command", 2, ACK_TIMEOUT)
    ACTUATOR_STATUS = Route(_DEVICE + "actuator/{gpio}/status", 1)
    ACTUATOR_RESPONSE = Route(_DEVICE + "actuator/{gpio}/response", 1)
    ACTUATOR_ALERT = Route(_DEVICE + "actuator/{gpio}/alert", 1)
    CONFIG = _to_device(_DEVICE + "config", 1, ANSWER_TIMEOUT)
    CONFIG_PART = _to_device(_DEVICE + "config_part", 1, ANSWER_TIMEOUT)
    CONFIG_RESPONSE = Route(_DEVICE + "config_response", 1)
    CONFIG_ACK = Route(_DEVICE + "config/ack", 1)
    CONFIG_SENSOR = _to_device(_DEVICE + "config/sensor/{gpio}", 1, ANSWER_TIMEOUT)
    CONFIG_SENSOR_ACK = Route(_DEVICE + "config/sensor/{gpio}/ack", 1)
    CONFIG_ACTUATOR = _to_device(_DEVICE + "config/actuator/{gpio}", 1, ANSWER_TIMEOUT)
    CONFIG_ACTUATOR_ACK = Route(_DEVICE + "config/actuator/{gpio}/ack", 1)
    ZONE_ASSIGN = _to_device(_DEVICE + "zone/assign", 1, ANSWER_TIMEOUT)
    ZONE_ACK = Route(_DEVICE + "zone/ack", 1)
    SUBZONE_ASSIGN = _to_device(_DEVICE + "subzone/assign", 1, ANSWER_TIMEOUT)
    SUBZONE_REMOVE = _to_device(_DEVICE + "subzone/remove", 1, ANSWER_TIMEOUT)
    SUBZONE_SAFE = _to_device(_DEVICE + "subzone/safe", 1, ANSWER_TIMEOUT)
    SUBZONE_ACK = Route(_DEVICE + "subzone/ack", 1)

    SERVER_STATUS = Route(
        "kaiser/{kaiser_id}/server/status", 1, retain=True, direction=Direction.TO_DEVICE
    )
    BROADCAST_EMERGENCY = _to_device("kaiser/broadcast/emergency", 2)
    BROADCAST_SYSTEM_UPDATE = _to_device("kaiser/broadcast/system_update", 1)
    BROADCAST_IP_CHANGE = _to_device("kaiser/broadcast/ip_change", 1)
    RELAY_HEARTBEAT = Route(f"kaiser/{GOD}/relay/{{kaiser_id}}/heartbeat", 0)
    DISCOVERY = Route("kaiser/{kaiser_id}/discovery/esp32_nodes", 1)

    HEARTBEAT_METRICS = Route(_DEVICE + "system/heartbeat_metrics", 0)
    DIAGNOSTICS = Route(_DEVICE + "system/diagnostics", 0)
    SYSTEM_ERROR = Route(_DEVICE + "system/error", 1)
    SAFE_MODE = Route(_DEVICE + "safe_mode", 1, retain=True)
    SYSTEM_COMMAND = _to_device(_DEVICE + "system/command", 2, ANSWER_TIMEOUT)
    SYSTEM_COMMAND_RESPONSE = Route(_DEVICE + "system/command/response", 1)
    SYSTEM_RESPONSE = Route(_DEVICE + "system/response", 1)
    INTENT_OUTCOME = Route(_DEVICE + "system/intent_outcome", 1)
    INTENT_LIFECYCLE = Route(_DEVICE + "system/intent_outcome/lifecycle", 1)
    QUEUE_PRESSURE = Route(_DEVICE + "system/queue_pressure", 0)
    AUTH_UPDATE = _to_device(_DEVICE + "mqtt/auth_update", 1)
    AUTH_STATUS = Route(_DEVICE + "mqtt/auth_status", 1)
    TRIAL_COMMAND = _to_device(_DEVICE + "test/command", 1, ANSWER_TIMEOUT)
    TRIAL_RESPONSE = Route(_DEVICE + "test/response", 1)

    EMERGENCY = _to_device(_DEVICE + "actuator/emergency", 2)
    EMERGENCY_ACK = Route(_DEVICE + "actuator/emergency/ack", 1)
    EMERGENCY_RESPONSE = Route(_DEVICE + "actuator/emergency/response", 1)
    EMERGENCY_ERROR = Route(_DEVICE + "actuator/emergency/error", 1)
    RECOVERY_CONFIRM = Route(_DEVICE + "actuator/recovery_confirm", 1)

    MEASURE_COMMAND = _to_device(_DEVICE + "sensor/{gpio}/command", 2, ACK_TIMEOUT)
    MEASURE_RESPONSE = Route(_DEVICE + "sensor/{gpio}/response", 1)
    ONEWIRE_SCAN = Route(_DEVICE + "onewire/scan_result", 1)
    PROCESSING_REQUEST = Route(_DEVICE + "pi_enhanced/request", 1)
    PROCESSING_RESPONSE = _to_device(_DEVICE + "pi_enhanced/response", 1, _PROCESSING_EXPIRY)

    LIBRARY_READY = Route(_LIBRARY + "ready", 1)
    LIBRARY_REQUEST = Route(_LIBRARY + "request", 1)
    LIBRARY_DOWNLOAD_START = _to_device(_LIBRARY + "download_start", 1)
    LIBRARY_DOWNLOAD_READY = Route(_LIBRARY + "download_ready", 1)
    LIBRARY_CHUNK = _to_device(_LIBRARY + "chunk", 1)
    LIBRARY_CHUNK_ACK = Route(_LIBRARY + "chunk_ack", 1)
    LIBRARY_CHUNK_REQUEST = Route(_LIBRARY + "chunk_request", 1)
    LIBRARY_DOWNLOAD_COMPLETE = _to_device(_LIBRARY + "download_complete", 1)
    LIBRARY_DOWNLOAD_STATUS = Route(_LIBRARY + "download_status", 1)
    LIBRARY_INSTALLED = Route(_LIBRARY + "installed", 1)
    LIBRARY_ERROR = Route(_LIBRARY + "error", 1)
    LIBRARY_DOWNLOAD_ABORT = Route(_LIBRARY + "download_abort", 1)

    @property
    def route(self) -> Route:
        """How this kind travels."""
        return self.value

    @property
    def levels(self) -> tuple[str, ...]:
        """The variable levels of its topic, which are also attributes of `Topic`."""
        return tuple(_VARIABLE.findall(self.route.pattern))

    def filter(self, *, kaiser_id: str = "+", esp_id: str = "+") -> str:
        """Return the subscription that hears this kind, of every device or of one.

        A `+` also hears the empty kaiser level of firmware that was never provisioned.
        """
        levels = dict.fromkeys(_LEVELS, "+") | {"kaiser_id": kaiser_id, "esp_id": esp_id}
        return self.route.pattern.format(**levels)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; what exists is valid and reads back as it was written.

    Attributes:
        kind: Which message.
        kaiser_id: `god`, a relay's id, or empty for firmware that was never provisioned.
        esp_id: The device; empty where the kind is of no single device.
        gpio: The pin, 0..255, where the kind has one.
        zone_id: The zone of a zone master's topic; None elsewhere.
        subzone_id: Its subzone; None elsewhere.

    Raises:
        ValueError: A level is missing, superfluous or holds what no topic may.
    """

    kind: Kind
    kaiser_id: str = GOD
    esp_id: str = ""
    gpio: int | None = None
    zone_id: str | None = None
    subzone_id: str | None = None

    def __post_init__(self) -> None:
        if _read(self.kind, str(self)) != (
            self.kaiser_id, self.esp_id, self.gpio, self.zone_id, self.subzone_id
        ):  # fmt: skip
            raise ValueError(f"not a topic of the protocol: {str(self)!r}")

    @override
    def __str__(self) -> str:
        return self.kind.route.pattern.format(
            kaiser_id=self.kaiser_id,
            esp_id=self.esp_id,
            gpio=self.gpio,
            zone_id=self.zone_id,
            subzone_id=self.subzone_id,
        )


_Levels = tuple[str, str, int | None, str | None, str | None]


def _expression(kind: Kind) -> re.Pattern[str]:
    groups = {name: f"(?P<{name}>{level})" for name, level in _LEVELS.items()}
    return re.compile(kind.route.pattern.format(**groups))


_EXPRESSIONS = {kind: _expression(kind) for kind in Kind}


def _read(kind: Kind, name: str) -> _Levels | None:
    match = _EXPRESSIONS[kind].fullmatch(name)
    if match is None:
        return None
    levels = match.groupdict()
    gpio = levels.get("gpio")
    return (
        levels.get("kaiser_id", GOD),
        levels.get("esp_id", ""),
        None if gpio is None else int(gpio),
        levels.get("zone_id"),
        levels.get("subzone_id"),
    )


@lru_cache(_REMEMBERED)
def parse(name: str) -> Topic | None:
    """Read a topic name.

    Args:
        name: The topic a message arrived on.

    Returns:
        The topic; None when it is not one of the protocol's.
    """
    for kind in Kind:
        levels = _read(kind, name)
        if levels is not None:
            return Topic(kind, *levels)
    return None


def filters(connection: Connection) -> tuple[tuple[str, int], ...]:
    """Return what the server subscribes to on a connection, each with its quality of service.

    No topic is heard through two of them: some brokers would deliver it twice.
    """
    heard = {
        kind.filter(): kind.route.qos
        for kind in Kind
        if kind.route.direction is Direction.TO_SERVER and kind.route.connection is connection
    }
    return tuple(
        (name, qos)
        for name, qos in heard.items()
        if not any(_covers(wide, name) for wide in heard if wide != name)
    )


def _covers(wide: str, narrow: str) -> bool:
    """Whether a filter hears all that another one hears; `actuator/+/ack` an `actuator/x/ack`."""
    left, right = wide.split("/"), narrow.split("/")
    return len(left) == len(right) and all(
        want in {"+", level} for want, level in zip(left, right, strict=True)
    )
