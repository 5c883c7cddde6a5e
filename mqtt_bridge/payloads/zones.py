"""Zones and subzones: what the server tells devices, and what they answer.

Field names and their meaning: device protocol, section 1.10.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.zones import (
    SubzoneAssignment,
    SubzoneRemoval,
    SubzoneSafety,
    ZoneAnswer,
    ZoneAssignment,
)
from mqtt_bridge.payloads import fields
from mqtt_bridge.payloads.fields import check_sender, first, text
from mqtt_bridge.topics import Kind, Topic

_WORD_LIMIT = 64
_MESSAGE_LIMIT = 500

_ZoneName = Annotated[str, msgspec.Meta(max_length=32, pattern="^[A-Za-z0-9_-]*$")]
_SubzoneName = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Title = Annotated[str, msgspec.Meta(max_length=64)]
_Level = Annotated[str, msgspec.Meta(max_length=63)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=_WORD_LIMIT)]
_Seconds = Annotated[int, msgspec.Meta(ge=0)]


class _ZoneAssign(msgspec.Struct, kw_only=True):
    # None of the four may be missing: the oldest firmware reads a missing one as "null".
    zone_id: _ZoneName
    master_zone_id: _ZoneName
    zone_name: _Title
    kaiser_id: _Level
    correlation_id: _Id | UnsetType = UNSET
    timestamp: _Seconds | UnsetType = UNSET


class _SubzoneAssign(msgspec.Struct, kw_only=True):
    subzone_id: _SubzoneName
    parent_zone_id: _ZoneName
    assigned_gpios: list[fields.Pin]
    subzone_name: _Title = ""
    safe_mode_active: bool = True
    timestamp: _Seconds | UnsetType = UNSET
    correlation_id: _Id | UnsetType = UNSET


class _SubzoneRemove(msgspec.Struct, kw_only=True):
    subzone_id: _SubzoneName
    correlation_id: _Id | UnsetType = UNSET


class _SubzoneSafe(msgspec.Struct, kw_only=True):
    subzone_id: _SubzoneName
    action: str


class _Answer(msgspec.Struct, kw_only=True):
    status: str
    esp_id: str | None = None
    zone_id: Any = None
    subzone_id: Any = None
    error_code: Any = None
    reason_code: Any = None
    message: Any = None
    correlation_id: Any = None
    ts: Any = None
    timestamp: Any = None
    seq: Any = None


_ZONE_ASSIGN = msgspec.json.Decoder(_ZoneAssign)
_SUBZONE_ASSIGN = msgspec.json.Decoder(_SubzoneAssign)
_SUBZONE_REMOVE = msgspec.json.Decoder(_SubzoneRemove)
_SUBZONE_SAFE = msgspec.json.Decoder(_SubzoneSafe)
_ANSWER = msgspec.json.Decoder(_Answer)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.ZONE_ASSIGN: _ZoneAssign,
    Kind.ZONE_ACK: _Answer,
    Kind.SUBZONE_ASSIGN: _SubzoneAssign,
    Kind.SUBZONE_REMOVE: _SubzoneRemove,
    Kind.SUBZONE_SAFE: _SubzoneSafe,
    Kind.SUBZONE_ACK: _Answer,
}
_NOVEMBER = FirmwareEvidence(newest=FirmwareGeneration.NOVEMBER_2025)
_DATED = FirmwareEvidence(oldest=FirmwareGeneration.DECEMBER_2025)
_SEQUENCED = FirmwareEvidence(oldest=FirmwareGeneration.FEBRUARY_2026)
_DONE = {"zone_assigned", "zone_removed", "subzone_assigned", "subzone_removed", "success", "ok"}
_REFUSED = {"error", "failed", "rejected"}
_ACTIONS = {"enable": True, "disable": False}


def answer(topic: Topic, payload: bytes, received_at: datetime) -> ZoneAnswer:
    """Read the answer to a zone or subzone."""
    body = _ANSWER.decode(payload)
    check_sender(topic, body.esp_id)
    status = body.status.lower()
    if status not in _DONE | _REFUSED:
        raise ValueError(f"the status {status[:40]!r} says neither success nor error")
    subzone = topic.kind is Kind.SUBZONE_ACK
    return ZoneAnswer(
        esp_id=topic.esp_id,
        received_at=received_at,
        success=status in _DONE,
        subzone=subzone,
        name=text(body.subzone_id if subzone else body.zone_id, _WORD_LIMIT),
        code=text(str(first(body.reason_code, body.error_code, "")), _WORD_LIMIT),
        message=text(body.message, _MESSAGE_LIMIT),
        correlation_id=text(body.correlation_id, _WORD_LIMIT) or None,
        firmware=_firmware(body, subzone=subzone),
    )


def _firmware(body: _Answer, *, subzone: bool) -> FirmwareEvidence | None:
    if subzone or body.seq is not None:
        return _SEQUENCED
    if body.ts is not None:
        return _DATED
    return None if body.timestamp is None else _NOVEMBER


def zone_assign(topic: Topic, payload: bytes) -> ZoneAssignment:
    """Read an assignment as the oldest firmware would have to."""
    body = _ZONE_ASSIGN.decode(payload)
    return ZoneAssignment(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        zone_id=body.zone_id,
        master_zone_id=body.master_zone_id,
        zone_name=body.zone_name,
        new_kaiser_id=body.kaiser_id,
        correlation_id=body.correlation_id or None,
        timestamp=body.timestamp or 0,
    )


def zone_assign_body(message: ZoneAssignment) -> msgspec.Struct:
    """Return an assignment's fields."""
    return _ZoneAssign(
        zone_id=message.zone_id,
        master_zone_id=message.master_zone_id,
        zone_name=message.zone_name.replace('"', "'").replace("\\", "/"),
        kaiser_id=message.new_kaiser_id,
        correlation_id=message.correlation_id or UNSET,
        timestamp=message.timestamp or UNSET,
    )


def subzone_assign(topic: Topic, payload: bytes) -> SubzoneAssignment:
    """Read a subzone as the newest firmware does."""
    body = _SUBZONE_ASSIGN.decode(payload)
    return SubzoneAssignment(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        subzone_id=body.subzone_id,
        subzone_name=body.subzone_name,
        parent_zone_id=body.parent_zone_id,
        gpios=tuple(body.assigned_gpios),
        safe_mode_active=body.safe_mode_active,
        correlation_id=body.correlation_id or None,
        timestamp=body.timestamp or 0,
    )


def subzone_assign_body(message: SubzoneAssignment) -> msgspec.Struct:
    """Return a subzone's fields."""
    return _SubzoneAssign(
        subzone_id=message.subzone_id,
        subzone_name=message.subzone_name,
        parent_zone_id=message.parent_zone_id,
        assigned_gpios=list(message.gpios),
        safe_mode_active=message.safe_mode_active,
        timestamp=message.timestamp or UNSET,
        correlation_id=message.correlation_id or UNSET,
    )


def subzone_remove(topic: Topic, payload: bytes) -> SubzoneRemoval:
    """Read the end of a subzone."""
    body = _SUBZONE_REMOVE.decode(payload)
    return SubzoneRemoval(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        subzone_id=body.subzone_id,
        correlation_id=body.correlation_id or None,
    )


def subzone_remove_body(message: SubzoneRemoval) -> msgspec.Struct:
    """Return the fields of the end of a subzone."""
    return _SubzoneRemove(
        subzone_id=message.subzone_id, correlation_id=message.correlation_id or UNSET
    )


def subzone_safe(topic: Topic, payload: bytes) -> SubzoneSafety:
    """Read whether a subzone is held in its safe state."""
    body = _SUBZONE_SAFE.decode(payload)
    if body.action not in _ACTIONS:
        raise ValueError(f"the action {body.action[:40]!r} is neither enable nor disable")
    return SubzoneSafety(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        subzone_id=body.subzone_id,
        enable=_ACTIONS[body.action],
    )


def subzone_safe_body(message: SubzoneSafety) -> msgspec.Struct:
    """Return the fields of a subzone's safe state."""
    return _SubzoneSafe(
        subzone_id=message.subzone_id, action="enable" if message.enable else "disable"
    )
