"""Intents: what newest firmware tells of the fate of what it was told, and why it refused.

Words and codes: device protocol, sections 1.3, 1.11 and 5.2.
"""

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """How far an order has come; ACCEPTED alone is not final."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    APPLIED = "applied"
    PERSISTED = "persisted"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def refused(self) -> bool:
        """Whether what was asked for is not done, and will not be."""
        return self in {Outcome.REJECTED, Outcome.FAILED, Outcome.EXPIRED}


_AGAIN = "try it again in a moment"
_NEWER = "it already has something newer"
_SETTINGS = "correct the configuration and send it again"
_SESSION = "it did not take the server's answer to its heartbeat; it asks again by itself"
_MEMORY = "restart it; if that happens again, its memory wears out: replace the board"

_CODES: Mapping[str, str] = {
    "REGISTRATION_PENDING": "it still waits for the server's answer to its heartbeat; try it again "
    "in a minute",
    "CONFIG_PENDING_BLOCKED": "it was reset and waits for its configuration: set up at least one "
    "sensor and one actuator",
    "PENDING_APPROVAL_BLOCKED": "it does not know yet that it was let in; try it again in a minute",
    "DEGRADED_MODE_BLOCKED": "it does not work fully at the moment; restart it if that stays so",
    "SAFETY_LOCKED": "it is stopped for safety; end the emergency stop first",
    "CONFIG_LANE_BUSY": f"it is busy with another configuration; {_AGAIN}",
    "QUEUE_FULL": f"it has too much to do; {_AGAIN}",
    "REPLAY_QUEUE_FULL": f"it has too much to repeat; {_AGAIN}",
    "OUTBOX_FULL": f"it has too much to say; {_AGAIN}",
    "JSON_PARSE_ERROR": "it could not read the message; update its firmware if that happens again",
    "VALIDATION_FAILED": f"it does not accept what was set; {_SETTINGS}",
    "GPIO_CONFLICT": "a pin is used for two things at once; choose another one",
    "NVS_WRITE_FAILED": f"it could not write to its memory; {_MEMORY}",
    "WRITE_TIMEOUT": f"its memory took too long; {_MEMORY}",
    "COMMIT_FAILED": f"its memory did not keep it; {_MEMORY}",
    "PERSISTENCE_DRIFT": f"its memory holds something else; {_MEMORY}",
    "TYPE_MISMATCH": f"something has the wrong type; {_SETTINGS}",
    "MISSING_FIELD": f"something is missing; {_SETTINGS}",
    "OUT_OF_RANGE": f"something lies outside its range; {_SETTINGS}",
    "PAYLOAD_TOO_LARGE": "the message is too large for it; set up fewer things at once",
    "STALE_SCOPE": _NEWER,
    "STALE_SENSOR": _NEWER,
    "STALE_ACTUATOR": _NEWER,
    "STALE_OFFLINE_SCOPE": _NEWER,
    "CONTRACT_MISSING_CORRELATION": "the message had no id; update the server",
    "MISSING_ACK_STATUS": _SESSION,
    "MISSING_HANDOVER_EPOCH": _SESSION,
    "INVALID_HANDOVER_EPOCH_TYPE": _SESSION,
    "INVALID_HANDOVER_EPOCH": _SESSION,
    "MISSING_ACTIVE_SESSION_EPOCH": _SESSION,
    "HANDOVER_EPOCH_MISMATCH": _SESSION,
}

_FLOWS: Mapping[str, str] = {
    "command": "a command",
    "config": "its configuration",
    "publish": "a message of its own",
    "zone": "its zone",
    "subzone_assign": "a subzone",
    "subzone_remove": "the end of a subzone",
    "subzone_safe": "the safe state of a subzone",
    "offline_rules": "its rules for times without the server",
    "heartbeat": "the server's answer to its heartbeat",
}

_NO_CODE = {"", "NONE"}


def explanation(code: str, reason: str) -> str:
    """Return why a device refused, for a grower: what is known of the code, else its own words.

    Args:
        code: The firmware's word, such as `REGISTRATION_PENDING`; empty or `NONE`: none.
        reason: The device's own sentence; may be empty.
    """
    known = _CODES.get(code.upper())
    if known is not None:
        return f"{known} ({code.upper()})"
    named = "" if code.upper() in _NO_CODE else code
    said = f"{reason} ({named})" if reason and named else reason or named
    return said or "it gave no reason"


def about(flow: str) -> str:
    """Return what an order was about, for a grower."""
    return _FLOWS.get(flow.lower(), f"something it was told ({flow[:40]})")
