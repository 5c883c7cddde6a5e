"""Intents: what newest firmware tells of the fate of each order.

Field names and their meaning: device protocol, section 1.11.
"""

from datetime import datetime
from typing import Any

import msgspec

from mqtt_bridge.messages import IntentLifecycle, IntentOutcome, Outcome
from mqtt_bridge.payloads.fields import (
    MESSAGE_LIMIT,
    WORD_LIMIT,
    check_sender,
    details,
    origin,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

_LARGEST_GENERATION = 2**32 - 1
_NAMES = ("event", "schema", "stage", "type")
"""Keys under which a lifecycle message may say what it is about; the first one counts."""


class _Outcome(msgspec.Struct, kw_only=True):
    outcome: Outcome
    flow: str
    esp_id: str | None = None
    seq: Any = None
    ts: Any = None
    intent_id: Any = None
    correlation_id: Any = None
    generation: Any = None
    epoch: Any = None
    code: Any = None
    reason: Any = None
    retryable: Any = None
    critical: Any = None
    recovered: Any = None


class _Lifecycle(msgspec.Struct, kw_only=True):
    esp_id: str | None = None


_OUTCOME = msgspec.json.Decoder(_Outcome)
_LIFECYCLE = msgspec.json.Decoder(_Lifecycle)
_ANYTHING = msgspec.json.Decoder(dict[str, Any])

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.INTENT_OUTCOME: _Outcome,
    Kind.INTENT_LIFECYCLE: _Lifecycle,
}


def outcome(topic: Topic, payload: bytes, received_at: datetime) -> IntentOutcome:
    """Read the fate of an order."""
    body = _OUTCOME.decode(payload)
    check_sender(topic, body.esp_id)
    flow = text(body.flow, WORD_LIMIT).lower()
    intent_id = text(body.intent_id, WORD_LIMIT)
    return IntentOutcome(
        **origin(topic, received_at),
        flow=flow,
        intent_id=intent_id or _synthetic_id(topic.esp_id, flow, body),
        synthetic=not intent_id,
        outcome=body.outcome,
        code=text(body.code, WORD_LIMIT),
        reason=text(body.reason, MESSAGE_LIMIT),
        correlation_id=text(body.correlation_id, WORD_LIMIT) or None,
        generation=whole(body.generation, highest=_LARGEST_GENERATION) or 0,
        epoch=whole(body.epoch),
        retryable=body.retryable is True,
        critical=body.critical is True,
        recovered=body.recovered is True,
    )


def lifecycle(topic: Topic, payload: bytes, received_at: datetime) -> IntentLifecycle:
    """Read a stage on the way of an order."""
    check_sender(topic, _LIFECYCLE.decode(payload).esp_id)
    body = _ANYTHING.decode(payload)
    words = (text(body.get(name), WORD_LIMIT) for name in _NAMES)
    return IntentLifecycle(
        **origin(topic, received_at),
        event=next((word for word in words if word), "unknown"),
        details=details(body, without={"esp_id"}),
    )


def _synthetic_id(esp_id: str, flow: str, body: _Outcome) -> str:
    # The same for every copy of the message, so that a repetition is still recognised.
    parts = (whole(body.seq) or 0, whole(body.ts, highest=_LARGEST_GENERATION) or 0)
    return f"{esp_id}:{flow[:12]}:{parts[0]}:{parts[1]}"
