"""Orders to a board as a whole, and its answers (device protocol, section 1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mqtt_bridge.messages import SystemAction
from mqtt_bridge.topics import Kind
from simulator.emergencies import EmergencyStop
from simulator.pins import Pins
from simulator.registration import SystemState
from simulator.sensors import VirtualSensor
from simulator.voice import Voice
from simulator.writing import Fields, Vitals

RESET_AFTER = 3.0
"""Seconds between the answer to a factory reset and the reboot."""

LARGEST_ORDER = 256
"""Bytes of the firmware's parser for orders; a longer one is not read."""

_LONGEST_TOKEN = 64
_SAFE_MODE = "firmware:safe_mode"
_ACTIONS = {action.value: action for action in SystemAction}
_NEVER = float("inf")

_BEFORE_APPROVAL = frozenset(
    {
        SystemAction.STATUS,
        SystemAction.DIAGNOSTICS,
        SystemAction.GET_CONFIG,
        SystemAction.SET_LOG_LEVEL,
        SystemAction.SAFE_MODE,
    }
)
"""What newest firmware does for a server that has not approved it yet."""


class _Params(msgspec.Struct):
    pin: int | None = None


class _Order(msgspec.Struct):
    command: str
    confirm: bool = False
    pin: int | None = None
    params: _Params = msgspec.field(default_factory=_Params)
    token_type: str = ""
    token: str = ""
    correlation_id: str | None = None


@dataclass(slots=True, kw_only=True)
class SystemOrders:
    """Obeys orders to the whole board.

    Attributes:
        resets_at: When a factory reset that was ordered happens; infinite: none was.
    """

    voice: Voice
    pins: Pins
    emergency: EmergencyStop
    sensors: Sequence[VirtualSensor]
    resets_at: float = field(default=_NEVER, init=False)

    def hear(self, payload: bytes, vitals: Vitals, now: float) -> None:
        """Obey an order, or say why not; what cannot be read is ignored."""
        order = _read(payload)
        if order is None:
            return
        dialect, action = self.voice.dialect, _ACTIONS.get(order.command)
        if action not in dialect.system_actions or action is None:
            if dialect.gate is not None:
                self._answer(order.command, now, success=False, message="Unknown command")
            return
        refusal = self.voice.outlet.registration.refusal()
        if dialect.hands_over and refusal and action not in _BEFORE_APPROVAL:
            self._answer(action, now, success=False, message=refusal)
            return
        self._obey(action, order, vitals, now)

    def _obey(self, action: SystemAction, order: _Order, vitals: Vitals, now: float) -> None:
        match action:
            case SystemAction.FACTORY_RESET:
                self._reset(order, now)
            case SystemAction.ONEWIRE_SCAN:
                self._scan(order.params.pin if order.pin is None else order.pin, now)
            case SystemAction.STATUS | SystemAction.DIAGNOSTICS | SystemAction.GET_CONFIG:
                self._answer(action, now, **self._status(vitals))
            case SystemAction.SAFE_MODE:
                self.pins.locked = True
                self.pins.all_off(now, _SAFE_MODE)
                self._answer(action, now, message="Safe mode entered")
            case SystemAction.EXIT_SAFE_MODE:
                self.pins.locked = False
                self._answer(action, now, message="Safe mode left")
            case SystemAction.SET_EMERGENCY_TOKEN:
                self._set_token(order, now)
            case _:
                self._answer(action, now, message="Command executed")
        self.voice.tell_outcome("command", order.correlation_id, "applied", now)

    def _reset(self, order: _Order, now: float) -> None:
        if not order.confirm:
            return
        self.resets_at = now + RESET_AFTER
        if self.voice.dialect.gate is None:
            fields = {"status": "factory_reset_initiated", "esp_id": self.voice.esp_id}
            self.voice.say(Kind.SYSTEM_COMMAND_RESPONSE, fields, now)
        else:
            self._answer(SystemAction.FACTORY_RESET, now, message="Factory reset initiated")

    def _set_token(self, order: _Order, now: float) -> None:
        fits = 0 < len(order.token) <= _LONGEST_TOKEN
        if fits and order.token_type == "esp":  # noqa: S105 - a kind of token
            self.emergency.token = order.token
        elif fits and order.token_type == "broadcast":  # noqa: S105 - a kind of token
            self.emergency.broadcast_token = order.token
        else:
            fits = False
        self._answer(SystemAction.SET_EMERGENCY_TOKEN, now, success=fits)

    def _scan(self, pin: int | None, now: float) -> None:
        found = [
            {
                "rom_code": sensor.onewire_address,
                "device_type": sensor.chip.sensor_type,
                "pin": sensor.gpio,
            }
            for sensor in self.sensors
            if sensor.onewire_address is not None and pin in {None, sensor.gpio}
        ]
        fields: Fields = {"devices": found, "found_count": len(found)}
        sequence = self.voice.origin(now).sequence
        if sequence is not None:
            fields["seq"] = sequence
        self.voice.say(Kind.ONEWIRE_SCAN, fields, now)
        self._answer(SystemAction.ONEWIRE_SCAN, now, found_count=len(found))

    def _status(self, vitals: Vitals) -> Fields:
        return {
            "state": vitals.state,
            "uptime": vitals.uptime,
            "heap_free": vitals.heap_free,
            "wifi_rssi": vitals.rssi,
            "sensor_count": vitals.sensors,
            "actuator_count": vitals.actuators,
            "zone_id": self.voice.zone_id,
            "zone_assigned": bool(self.voice.zone_id),
        }

    def _answer(self, command: str, now: float, *, success: bool = True, **more: object) -> None:
        origin = self.voice.origin(now)
        fields: dict[str, Any] = {
            "command": str(command),
            "success": success,
            "esp_id": origin.esp_id,
            **more,
            "ts": origin.stamp,
        }
        if origin.sequence is not None:
            fields["seq"] = origin.sequence
        self.voice.say(Kind.SYSTEM_COMMAND_RESPONSE, fields, now)


def state_of(voice: Voice, pins: Pins) -> int:
    """Return the system state as the generation numbers it."""
    state = SystemState.SAFE_MODE if pins.locked else voice.outlet.registration.state
    return voice.dialect.states[state]


def _read(payload: bytes) -> _Order | None:
    if len(payload) > LARGEST_ORDER:
        return None
    try:
        return msgspec.json.decode(payload, type=_Order)
    except ValueError:
        return None
