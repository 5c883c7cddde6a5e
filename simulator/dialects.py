"""The habits of the firmware generations: what each writes, and how it uses its connection.

A board keeps the firmware it was flashed with, so all of them are in the field at once. What a
generation does is a row of data in `Dialect`; how it spells a message is one function per message
(device protocol, sections 1.1 to 1.7 and 3.3 to 3.4).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from mqtt_bridge.messages import ActuatorCommand
from simulator.actuators import VirtualActuator
from simulator.sensors import Sampled

Fields: TypeAlias = dict[str, Any]
"""A payload before it becomes JSON, in the order in which the firmware writes it."""

_DECIMALS = 2
_UNSIGNED = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who speaks, and when: what nearly every payload begins with.

    Attributes:
        stamp: The time as this generation tells it: Unix seconds, milliseconds since boot, or 0.
        sequence: The message counter; None where the firmware has none.
    """

    esp_id: str
    zone_id: str
    stamp: int
    sequence: int | None = None

    def fields(self, *, subzone: bool = False) -> Fields:
        """Return the fields, in the firmware's order."""
        fields: Fields = {"esp_id": self.esp_id}
        if self.sequence is not None:
            fields["seq"] = self.sequence
        fields["zone_id"] = self.zone_id
        if subzone:
            fields["subzone_id"] = ""
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How a board is, for its heartbeat.

    Attributes:
        uptime: Seconds since boot.
        boots: How often it was started.
        reconnects: How often it came back since.
        epoch: The handover epoch that is active; 0: none.
        completed_epoch: The last one that was confirmed.
        state: System state number of the newest firmware (device protocol, section 5.3).
        booted_at: Unix seconds; 0 where the clock was not known.
    """

    uptime: int
    heap_free: int
    rssi: int
    sensors: int
    actuators: int
    boots: int
    reconnects: int
    epoch: int
    completed_epoch: int
    state: int
    booted_at: int


def _early_sensor(origin: Origin, sampled: Sampled) -> Fields:
    chip = sampled.sensor.chip
    return origin.fields(subzone=True) | {
        "gpio": sampled.sensor.gpio,
        "sensor_type": chip.early_type,
        "raw_value": sampled.raw % _UNSIGNED,
        "processed_value": round(chip.to_value(sampled.raw), _DECIMALS),
        "unit": chip.unit,
        "quality": "good",
        "timestamp": origin.stamp,
    }


def _preview(sampled: Sampled) -> tuple[float, str]:
    chip = sampled.sensor.chip
    if chip.analog:
        return float(sampled.raw), "raw"
    return round(chip.to_value(sampled.raw), _DECIMALS), chip.unit


def _december_sensor(origin: Origin, sampled: Sampled) -> Fields:
    value, unit = _preview(sampled)
    return origin.fields(subzone=True) | {
        "gpio": sampled.sensor.gpio,
        "sensor_type": sampled.sensor.chip.sensor_type,
        "raw": sampled.raw % _UNSIGNED,
        "value": value,
        "unit": unit,
        "quality": "fair" if unit == "raw" else "good",
        "ts": origin.stamp,
        "raw_mode": True,
    }


def _head_sensor(origin: Origin, sampled: Sampled) -> Fields:
    sensor = sampled.sensor
    value, unit = _preview(sampled)
    fields = origin.fields(subzone=True) | {
        "gpio": sensor.gpio,
        "sensor_type": sensor.chip.sensor_type,
        "raw": sampled.raw,
        "value": value,
        "unit": unit,
        "quality": sensor.chip.quality(sampled.raw),
        "ts": origin.stamp,
        "time_valid": origin.stamp > 0,
        "raw_mode": True,
    }
    if sensor.onewire_address is not None:
        fields["onewire_address"] = sensor.onewire_address
    if sensor.i2c_address is not None:
        fields["i2c_address"] = sensor.i2c_address
    return fields


def _early_heartbeat(origin: Origin, vitals: Vitals) -> Fields:
    return {
        "esp_id": origin.esp_id,
        "zone_id": origin.zone_id,
        "master_zone_id": "",
        "zone_assigned": bool(origin.zone_id),
        "ts": origin.stamp,
        "uptime": vitals.uptime,
        "heap_free": vitals.heap_free,
        "wifi_rssi": vitals.rssi,
        "sensor_count": vitals.sensors,
        "actuator_count": vitals.actuators,
    }


def _head_heartbeat(origin: Origin, vitals: Vitals) -> Fields:
    boot = {
        "time_valid": origin.stamp > 0,
        "boot_sequence_id": f"{origin.esp_id}-b{vitals.boots}-r{vitals.reconnects}",
        "reset_reason": "POWERON" if vitals.boots == 1 else "SW",
        "segment_start_ts": vitals.booted_at,
    }
    handover = {
        "wifi_ip": "192.168.4.2",
        "active_handover_epoch": vitals.epoch,
        "handover_completed_epoch": vitals.completed_epoch,
        "persistence_degraded": False,
        "persistence_degraded_reason": "",
        "runtime_state_degraded": False,
        "mqtt_circuit_breaker_open": False,
        "wifi_circuit_breaker_open": False,
        "network_degraded": False,
        "config_status": {
            "wifi_configured": True,
            "zone_assigned": bool(origin.zone_id),
            "system_configured": True,
            "subzone_count": 0,
            "boot_count": vitals.boots,
            "state": vitals.state,
        },
    }
    return _early_heartbeat(origin, vitals) | boot | handover


def actuator_status(origin: Origin, actuator: VirtualActuator, now: float) -> Fields:
    """Write what a pin does."""
    fields = origin.fields(subzone=True) | {
        "ts": origin.stamp,
        "gpio": actuator.gpio,
        "type": actuator.actuator_type,
        "state": actuator.is_on,
        "pwm": actuator.pwm,
        "runtime_ms": actuator.runtime_ms(now),
        "emergency": "normal",
    }
    if origin.sequence is not None and actuator.source:
        fields["command_source"] = actuator.source
    return fields


def actuator_alert(origin: Origin, gpio: int, alert: str, message: str, *, key: str) -> Fields:
    """Write that an actuator, or with pin 255 the device, protected itself."""
    return origin.fields() | {
        "ts": origin.stamp,
        "gpio": gpio,
        key: alert,
        "message": message,
    }


def system_error(origin: Origin, code: int, severity: int, message: str, uptime: int) -> Fields:
    """Write that something failed, as firmware since January 2026 does (section 1.6)."""
    return {
        "error_code": code,
        "severity": severity,
        "category": "HARDWARE",
        "message": message,
        "context": {"esp_id": origin.esp_id, "uptime_ms": uptime},
        "ts": origin.stamp,
    }


def actuator_response(
    origin: Origin, command: ActuatorCommand, *, success: bool, message: str
) -> Fields:
    """Write the answer to a command; only firmware that counts its messages repeats the id."""
    fields = origin.fields() | {
        "ts": origin.stamp,
        "gpio": command.gpio,
        "command": command.action.value,
        "value": round(command.value, 3),
        "duration": command.duration,
        "success": success,
        "message": message,
    }
    if origin.sequence is not None:
        if command.correlation_id is not None:
            fields["correlation_id"] = command.correlation_id
        if command.issued_by:
            fields["issued_by"] = command.issued_by
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One firmware generation.

    Attributes:
        kaiser_id: The topic level it speaks on until it was provisioned.
        boot_clock: It tells milliseconds since boot, never the time of day.
        retains: It sends QoS 0 and retained what the document calls QoS 1; else real QoS 1.
        subscribe_qos: What it subscribes with; None: with the quality of each message's route.
        sets_will: The broker speaks for it when its connection breaks.
        resubscribes: It subscribes again after a reconnect; else it is deaf until it reboots.
        reconnects: How often it tries to come back before it falls silent; None: for ever.
        first_heartbeat: Seconds from boot to its first sign of life.
        needs_ack: It announces itself, and is mute until the server acknowledged a heartbeat.
        counts: Its messages carry a sequence number, and its answers the correlation id.
        obeys_duration: ON with a duration switches off by itself.
        parses_blanks: It reads JSON with a blank between a key's quote and the colon.
        reports_twice: It sends a pin's status twice after a command.
        backlog: Messages it keeps while it has no connection; the newest are dropped beyond.
    """

    name: str
    kaiser_id: str
    boot_clock: bool = False
    retains: bool = False
    sets_will: bool = True
    resubscribes: bool = True
    reconnects: int | None = None
    first_heartbeat: float = 0.0
    needs_ack: bool = False
    counts: bool = False
    obeys_duration: bool = False
    parses_blanks: bool = True
    reports_twice: bool = False
    backlog: int = 100
    sensor_data: Callable[[Origin, Sampled], Fields]
    heartbeat: Callable[[Origin, Vitals], Fields]

    def will(self, esp_id: str, stamp: int) -> Fields:
        """Write what the broker says for it when the connection breaks."""
        fields: Fields = {"status": "offline"}
        if self.needs_ack:
            fields["esp_id"] = esp_id
        return fields | {"reason": "unexpected_disconnect", "timestamp": stamp}


NOVEMBER = Dialect(
    name="november-2025",
    kaiser_id="",
    boot_clock=True,
    retains=True,
    sets_will=False,
    resubscribes=False,
    reconnects=10,
    first_heartbeat=60.0,
    parses_blanks=False,
    reports_twice=True,
    sensor_data=_early_sensor,
    heartbeat=_early_heartbeat,
)
DECEMBER = Dialect(
    name="december-2025",
    kaiser_id="",
    retains=True,
    parses_blanks=False,
    reports_twice=True,
    sensor_data=_december_sensor,
    heartbeat=_early_heartbeat,
)
HEAD = Dialect(
    name="april-2026",
    kaiser_id="god",
    needs_ack=True,
    counts=True,
    obeys_duration=True,
    backlog=8,
    sensor_data=_head_sensor,
    heartbeat=_head_heartbeat,
)
DIALECTS = (NOVEMBER, DECEMBER, HEAD)
"""Every generation, oldest first."""
