"""What the server orders whole devices to do, in the words that firmware compares letter by letter.

Field names and their meaning: device protocol, sections 1.5 and 1.13.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from mqtt_bridge.messages import AuthUpdate, SystemAction, SystemCommand, TrialCommand
from mqtt_bridge.payloads.fields import Pin, Text, Word, details
from mqtt_bridge.topics import Kind, Topic

_TRIALS = frozenset(
    {
        "ping",
        "actuator_set",
        "actuator_get",
        "sensor_read",
        "config_get",
        "config_set",
        "emergency_stop",
        "reset",
    }
)
_TOKEN_TYPES = frozenset({"esp", "broadcast"})
_LONGEST_DELAY = 60_000


class _Params(msgspec.Struct, kw_only=True):
    delay: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST_DELAY)] | UnsetType = UNSET
    pin: Pin | UnsetType = UNSET


class _Command(msgspec.Struct, kw_only=True):
    command: SystemAction
    confirm: bool | UnsetType = UNSET
    pin: Pin | UnsetType = UNSET
    level: Word | UnsetType = UNSET
    token_type: Word | UnsetType = UNSET
    token: Word | UnsetType = UNSET
    params: _Params | UnsetType = UNSET
    correlation_id: Word | UnsetType = UNSET


class _AuthUpdate(msgspec.Struct, kw_only=True):
    enabled: bool
    username: Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
    password: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    force_reconnect: bool = False


class _Trial(msgspec.Struct, kw_only=True):
    test_id: Word
    command: Word
    params: dict[str, Text | int | float | bool | None] = {}
    timestamp: Annotated[float, msgspec.Meta(ge=0)]


_COMMAND = msgspec.json.Decoder(_Command)
_AUTH_UPDATE = msgspec.json.Decoder(_AuthUpdate)
_TRIAL = msgspec.json.Decoder(_Trial)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.SYSTEM_COMMAND: _Command,
    Kind.AUTH_UPDATE: _AuthUpdate,
    Kind.TRIAL_COMMAND: _Trial,
}


def command(topic: Topic, payload: bytes) -> SystemCommand:
    """Read a system command as firmware does."""
    body = _COMMAND.decode(payload)
    if body.command is SystemAction.FACTORY_RESET and body.confirm is not True:
        raise ValueError("a factory_reset must be confirmed")
    token = (body.token_type, body.token)
    if body.command is SystemAction.SET_EMERGENCY_TOKEN and (
        body.token_type not in _TOKEN_TYPES or UNSET in token
    ):
        raise ValueError("a token needs its token_type, esp or broadcast")
    return SystemCommand(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        command=body.command,
        pin=_given(body.pin, UNSET if body.params is UNSET else body.params.pin),
        level=body.level or None,
        token_type=body.token_type or None,
        token=body.token or None,
        delay_ms=_given(UNSET if body.params is UNSET else body.params.delay),
        correlation_id=body.correlation_id or None,
    )


def _given(*values: int | UnsetType) -> int | None:
    return next((value for value in values if value is not UNSET), None)


def command_body(message: SystemCommand) -> msgspec.Struct:
    """Return a command's fields."""
    return _Command(
        command=message.command,
        confirm=True if message.command is SystemAction.FACTORY_RESET else UNSET,
        pin=UNSET if message.pin is None else message.pin,
        level=message.level or UNSET,
        token_type=message.token_type or UNSET,
        token=message.token or UNSET,
        params=UNSET if message.delay_ms is None else _Params(delay=message.delay_ms),
        correlation_id=message.correlation_id or UNSET,
    )


def auth_update(topic: Topic, payload: bytes) -> AuthUpdate:
    """Read new credentials."""
    body = _AUTH_UPDATE.decode(payload)
    return AuthUpdate(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        enabled=body.enabled,
        username=body.username,
        password=body.password,
        force_reconnect=body.force_reconnect,
    )


def auth_update_body(message: AuthUpdate) -> msgspec.Struct:
    """Return the fields of new credentials."""
    return _AuthUpdate(
        enabled=message.enabled,
        username=message.username,
        password=message.password,
        force_reconnect=message.force_reconnect,
    )


def trial(topic: Topic, payload: bytes) -> TrialCommand:
    """Read a command to a mock device."""
    body = _TRIAL.decode(payload)
    if body.command not in _TRIALS:
        raise ValueError(f"{body.command!r} is no trial command")
    return TrialCommand(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        trial_id=body.test_id,
        command=body.command,
        timestamp=body.timestamp,
        params=details(body.params),
    )


def trial_body(message: TrialCommand) -> msgspec.Struct:
    """Return the fields of a command to a mock device."""
    return _Trial(
        test_id=message.trial_id,
        command=message.command,
        params=dict(message.params),
        timestamp=message.timestamp,
    )
