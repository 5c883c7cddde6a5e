"""What stops a board, what lets it go on, and how each generation says so.

Device protocol, sections 1.8 and 3.5. A stop is kept in memory only, so that a power cycle ends it;
for the first firmware nothing else does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import msgspec

from mqtt_bridge.messages import EmergencyAction
from mqtt_bridge.topics import Kind
from simulator import writing
from simulator.dialects import Trigger
from simulator.pins import Pins
from simulator.voice import Voice
from simulator.writing import Fields

CLEAR_AFTER = 5.0
"""Seconds after a stop before which no board lets itself be cleared."""

_SMALL_DOCUMENT, _LARGE_DOCUMENT = 256, 512
"""Bytes of memory for a parsed broadcast until, and since, the spring of 2026."""

_SLOT = 16
"""Bytes that a member of an object or array takes in ArduinoJson 6 on 32-bit processors, beside
the text of its key and value with their end marks (arduinojson.org, "Assistant")."""

_STOPS = frozenset({"stop_all", "emergency_stop"})
_STOP_WORDS = ("command", "action")
_CRITICAL = ("command", "auth_token")
_HARMLESS = ("action", "reason", "issued_by", "timestamp")
_BAD_TOKEN, _CRITICAL_SEVERITY = 3500, 3


class Judgement(Enum):
    """What a board makes of a broadcast."""

    STOP = auto()
    IGNORE = auto()
    UNAUTHORIZED = auto()


def document_bytes(value: object) -> int:
    """Return the memory that a parsed JSON value takes beside its own slot."""
    match value:
        case str():
            return len(value.encode()) + 1
        case dict():
            return sum(_SLOT + document_bytes(k) + document_bytes(v) for k, v in value.items())
        case list():
            return sum(_SLOT + document_bytes(each) for each in value)
        case _:
            return 0


def judge(trigger: Trigger, payload: bytes, token: str | None = None) -> Judgement:
    """Return what a board makes of a broadcast.

    Args:
        trigger: What stops its generation.
        payload: The broadcast, whatever it is.
        token: What it demands, if it was ever given a token for broadcasts.
    """
    if trigger is Trigger.ANYTHING:
        return Judgement.STOP
    try:
        body = msgspec.json.decode(payload)
    except ValueError:
        return Judgement.IGNORE
    room = _SMALL_DOCUMENT if trigger is Trigger.JSON else _LARGE_DOCUMENT
    if document_bytes(body) > room:
        return Judgement.IGNORE
    if trigger is Trigger.JSON:
        return Judgement.STOP
    return _by_contract(body, token) if isinstance(body, dict) else Judgement.IGNORE


def _by_contract(body: Mapping[str, Any], token: str | None) -> Judgement:
    given = {key: value for key, value in body.items() if value is not None}
    if not all(isinstance(given.get(key, ""), str) for key in _CRITICAL):
        return Judgement.STOP  # it may well be meant so
    if not all(isinstance(given.get(key, ""), str) for key in _HARMLESS):
        return Judgement.IGNORE
    words = {given[key] for key in _STOP_WORDS if key in given}
    if len(words) > 1:
        return Judgement.STOP
    if not words or not words <= _STOPS:
        return Judgement.IGNORE
    if token is not None and given.get("auth_token") != token:
        return Judgement.UNAUTHORIZED
    return Judgement.STOP


@dataclass(slots=True, kw_only=True)
class EmergencyStop:
    """The emergency stop of one board.

    Attributes:
        token: What an order to this board alone must carry.
        broadcast_token: What a broadcast must carry; None: nothing.
    """

    voice: Voice
    pins: Pins
    token: str
    broadcast_token: str | None = field(default=None, init=False)

    def hear_broadcast(self, payload: bytes, now: float) -> None:
        """Take in what was said to all boards."""
        match judge(self.voice.dialect.trigger, payload, self.broadcast_token):
            case Judgement.STOP:
                self._stop(_correlation(payload), now)
            case Judgement.UNAUTHORIZED:
                self._tell_bad_token(now)

    def hear_order(self, payload: bytes, now: float) -> None:
        """Take in what was said to this board alone."""
        if not self.voice.dialect.has_tokens:
            self.pins.stop(now)
            return
        body = _read(payload)
        if body is None:
            return
        if body.get("auth_token") != self.token:
            self._tell_bad_token(now)
            self._refuse("unauthorized", "Invalid auth_token", now)
            return
        correlation_id = _correlation(payload)
        match body.get("command"):
            case EmergencyAction.STOP.value:
                self._stop(correlation_id, now)
                self._respond("emergency_stopped", now)
            case EmergencyAction.CLEAR.value:
                self._clear(correlation_id, now)

    # ------------------------------------------------------------ what it does

    def _stop(self, correlation_id: str, now: float) -> None:
        self.pins.stop(now)
        self._acknowledge(EmergencyAction.STOP, correlation_id, now)

    def _clear(self, correlation_id: str, now: float) -> None:
        stopped_at = self.pins.stopped_at
        if stopped_at is not None and now < stopped_at + CLEAR_AFTER:
            self.pins.alert("verification_failed", "Safety verification failed", now)
            self._refuse("clear_failed", "Emergency cannot be cleared yet", now)
            self.voice.tell_outcome("command", correlation_id, "failed", now, code="CLEAR_FAILED")
            return
        self.pins.release(now)
        self._acknowledge(EmergencyAction.CLEAR, correlation_id, now)
        if self.voice.dialect.correlates:
            confirmed = self._answer(now, correlation_id) | {
                "command": EmergencyAction.CLEAR.value,
                "state": "cleared",
            }
            self._say(Kind.RECOVERY_CONFIRM, confirmed, now)
        self._respond("emergency_cleared", now)

    # ------------------------------------------------------------ what it says

    def _acknowledge(self, action: EmergencyAction, correlation_id: str, now: float) -> None:
        if not self.voice.dialect.correlates:
            return
        fields = self._answer(now, correlation_id) | {
            "command": action.value,
            "gpio_count": len(self.pins.actuators),
            "outcome": "executed",
        }
        self._say(Kind.EMERGENCY_ACK, fields, now)
        self.voice.tell_outcome("command", correlation_id, "applied", now)

    def _answer(self, now: float, correlation_id: str) -> Fields:
        return {
            "ts": self.voice.clock.stamp(now),
            "esp_id": self.voice.esp_id,
            "correlation_id": correlation_id,
        }

    def _respond(self, status: str, now: float) -> None:
        fields = {"status": status, "timestamp": self.voice.clock.stamp_ms(now)}
        self._say(Kind.EMERGENCY_RESPONSE, fields, now)

    def _refuse(self, error: str, message: str, now: float) -> None:
        self._say(Kind.EMERGENCY_ERROR, {"error": error, "message": message}, now)

    def _tell_bad_token(self, now: float) -> None:
        if self.voice.dialect.correlates:
            uptime, message = self.voice.clock.uptime_ms(now), "Emergency order without valid token"
            fields = writing.system_error(
                self.voice.origin(now, numbered=False),
                _BAD_TOKEN,
                _CRITICAL_SEVERITY,
                message,
                uptime,
            )
            self.voice.say(Kind.SYSTEM_ERROR, fields, now)

    def _say(self, kind: Kind, fields: Fields, now: float) -> None:
        sequence = self.voice.origin(now).sequence
        numbered = {} if sequence is None else {"seq": sequence}
        self.voice.say(kind, fields | numbered, now)


def _read(payload: bytes) -> dict[str, Any] | None:
    try:
        body = msgspec.json.decode(payload)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _correlation(payload: bytes) -> str:
    body = _read(payload) or {}
    value = body.get("correlation_id")
    return value if isinstance(value, str) else ""
