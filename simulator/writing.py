"""How each generation spells its messages: one function per message, fields in firmware order.

Pure writing; which generation uses which function is a row of `simulator.dialects` (device
protocol, sections 1.2 to 1.8).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from mqtt_bridge.messages import ActuatorCommand, MeasureCommand
from simulator.actuators import VirtualActuator
from simulator.sensors import Sampled

Fields: TypeAlias = dict[str, Any]
"""A payload before it becomes JSON, in the order in which the firmware writes it."""

_DECIMALS = 2
_UNSIGNED = 2**32
_WIFI_IP = "192.168.4.2"
_INPUT, _OUTPUT = 1, 2


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


class Occupied(NamedTuple):
    """A pin that is taken; `owner` is `sensor`, `actuator` or `bus/onewire/<pin>`."""

    gpio: int
    owner: str
    component: str
    drives: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How a board is, for its heartbeat.

    Attributes:
        uptime: Seconds since boot.
        boots: How often it was started.
        reconnects: How often it came back since.
        epoch: The handover epoch that is active; 0: none.
        completed_epoch: The last one that was confirmed.
        state: System state, as this generation numbers it (device protocol, section 5.3).
        booted_at: Unix seconds; 0 where the clock was not known.
        pins: What occupies which pin, for firmware that tells.
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
    pins: tuple[Occupied, ...] = ()


def early_sensor(origin: Origin, sampled: Sampled) -> Fields:
    """Write a sample as firmware of November 2025 does: processed, counted from boot."""
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


def december_sensor(origin: Origin, sampled: Sampled) -> Fields:
    """Write a sample as firmware of December 2025 does: raw, unsigned, in Unix seconds."""
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


def february_sensor(origin: Origin, sampled: Sampled) -> Fields:
    """Write a sample as firmware of February 2026 does: as before, with the chip's address."""
    fields = december_sensor(origin, sampled)
    if sampled.sensor.onewire_address is not None:
        fields["onewire_address"] = sampled.sensor.onewire_address
    return fields


def head_sensor(origin: Origin, sampled: Sampled) -> Fields:
    """Write a sample as firmware of April 2026 does: signed, and sure of its clock or not."""
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


def early_heartbeat(origin: Origin, vitals: Vitals) -> Fields:
    """Write a heartbeat as firmware of 2025 does."""
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


def february_heartbeat(origin: Origin, vitals: Vitals) -> Fields:
    """Write a heartbeat as firmware of February 2026 does: with every pin, and a state."""
    fields = early_heartbeat(origin, vitals) | {
        "gpio_status": [
            {
                "gpio": pin.gpio,
                "owner": pin.owner,
                "component": pin.component,
                "mode": _OUTPUT if pin.drives else _INPUT,
                "safe": False,
            }
            for pin in vitals.pins
        ],
        "gpio_reserved_count": len(vitals.pins),
        "config_status": _config_status(origin, vitals),
        "wifi_ip": _WIFI_IP,
    }
    return fields if origin.sequence is None else fields | {"seq": origin.sequence}


def head_heartbeat(origin: Origin, vitals: Vitals) -> Fields:
    """Write a heartbeat as firmware of April 2026 does: with its boot, and its session."""
    boot = {
        "time_valid": origin.stamp > 0,
        "boot_sequence_id": f"{origin.esp_id}-b{vitals.boots}-r{vitals.reconnects}",
        "reset_reason": "POWERON" if vitals.boots == 1 else "SW",
        "segment_start_ts": vitals.booted_at,
    }
    handover = {
        "wifi_ip": _WIFI_IP,
        "active_handover_epoch": vitals.epoch,
        "handover_completed_epoch": vitals.completed_epoch,
        "persistence_degraded": False,
        "persistence_degraded_reason": "",
        "runtime_state_degraded": False,
        "mqtt_circuit_breaker_open": False,
        "wifi_circuit_breaker_open": False,
        "network_degraded": False,
        "config_status": _config_status(origin, vitals),
    }
    return early_heartbeat(origin, vitals) | boot | handover


def _config_status(origin: Origin, vitals: Vitals) -> Fields:
    return {
        "wifi_configured": True,
        "zone_assigned": bool(origin.zone_id),
        "system_configured": True,
        "subzone_count": 0,
        "boot_count": vitals.boots,
        "state": vitals.state,
    }


def actuator_status(
    origin: Origin, actuator: VirtualActuator, now: float, *, emergency: str, source: bool
) -> Fields:
    """Write what a pin does, and, where the firmware remembers, at whose word."""
    fields = origin.fields(subzone=True) | {
        "ts": origin.stamp,
        "gpio": actuator.gpio,
        "type": actuator.actuator_type,
        "state": actuator.is_on,
        "pwm": actuator.pwm,
        "runtime_ms": actuator.runtime_ms(now),
        "emergency": emergency,
    }
    if source and actuator.source:
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
    origin: Origin, command: ActuatorCommand, *, success: bool, message: str, correlates: bool
) -> Fields:
    """Write the answer to a command, where the firmware can with what the command called itself."""
    fields = origin.fields() | {
        "ts": origin.stamp,
        "gpio": command.gpio,
        "command": command.action.value,
        "value": round(command.value, 3),
        "duration": command.duration,
        "success": success,
        "message": message,
    }
    if correlates:
        if command.correlation_id is not None:
            fields["correlation_id"] = command.correlation_id
        if command.issued_by:
            fields["issued_by"] = command.issued_by
    return fields


def will(esp_id: str, stamp: int, *, named: bool) -> Fields:
    """Write what the broker says for a board when its connection breaks."""
    fields: Fields = {"status": "offline"}
    if named:
        fields["esp_id"] = esp_id
    return fields | {"reason": "unexpected_disconnect", "timestamp": stamp}


def measured(origin: Origin, command: MeasureCommand, sampled: Sampled | None) -> Fields:
    """Write how a measurement on demand went; None: there is nothing to measure on that pin."""
    done = sampled is not None
    fields: Fields = {
        "request_id": command.request_id,
        "gpio": command.gpio,
        "command": "measure",
        "success": done,
        "measurement_ok": done,
        "publish_ok": done,
        "timeout": False,
        "reason_code": "NONE" if done else "SENSOR_NOT_FOUND",
    }
    if sampled is not None:
        chip = sampled.sensor.chip
        fields |= {
            "quality": chip.quality(sampled.raw),
            "sensor_type": chip.sensor_type,
            "raw": sampled.raw,
        }
    fields |= {"ts": origin.stamp, "intent_id": command.request_id}
    if origin.sequence is not None:
        fields["seq"] = origin.sequence
    return fields | {"correlation_id": command.request_id, "ttl_ms": 0}


def intent_outcome(
    origin: Origin, flow: str, intent_id: str, *, verdict: tuple[str, str], epoch: int
) -> Fields:
    """Write what became of an order, as firmware of April 2026 does (section 1.11).

    Args:
        origin: Who speaks, and when.
        flow: Which kind of order.
        intent_id: What the order called itself.
        verdict: The outcome, and the reason code.
        epoch: The session in force.
    """
    outcome, code = verdict
    processing = outcome in {"accepted", "applied"}
    legacy = "success" if outcome == "persisted" else "processing" if processing else outcome
    return {
        "seq": origin.sequence,
        "flow": flow,
        "intent_id": intent_id,
        "correlation_id": intent_id,
        "generation": 0,
        "created_at_ms": 0,
        "ttl_ms": 0,
        "epoch": epoch,
        "outcome": outcome,
        "contract_version": 2,
        "semantic_mode": "target",
        "legacy_status": legacy,
        "target_status": outcome,
        "code": code,
        "reason": "ok" if code == "NONE" else code.lower(),
        "retryable": False,
        "critical": False,
        "retry_limit": 5,
        "retry_count": 0,
        "recovered": False,
        "delivery_mode": "direct",
        "ts": origin.stamp,
    }
