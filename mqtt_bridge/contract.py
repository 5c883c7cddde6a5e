"""The protocol in writing, made from the tables that the server runs on: it cannot go out of date.

Two forms: JSON Schema for programs, and a page with the topics and the firmware generations.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import msgspec

from domain.devices import FirmwareGeneration
from mqtt_bridge.dialects import DIALECTS, Dialect
from mqtt_bridge.payloads import LARGEST_OUTBOUND, LARGEST_PAYLOAD, SHAPES, meaning
from mqtt_bridge.topics import Direction, Kind

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ABOUT = (
    "What the server reads and writes. Devices may send more fields than these, and numbers as "
    "strings; a field without a type may hold anything, and is left out where it is of no use."
)

_PAGE = """\
# MQTT topics

Made from the code by `./kaiser export-schema mqtt-topics`; `make schema` brings it up to date. The
fields of each message are in [mqtt-schema.json](mqtt-schema.json).

`{{kaiser_id}}` is `god`, the id of a relay, or empty for firmware that was never provisioned. The
server answers on the level on which it heard a device. An unknown or unreadable message becomes a
dead letter.

## From devices

{inbound}

## To devices

What expires is told to nobody after that time, where the broker speaks MQTT 5; a broker that speaks
only 3.1.1 holds it for as long as it holds the session of a device that is away.

{outbound}

## Firmware generations

Devices do not name their firmware: the server learns it from the way they write. A device of which
nothing is known yet is spoken to in a form that all of them bear.

{generations}
"""

_HABITS = {
    "registers": "Waits for a heartbeat ack",
    "needs_epoch": "Takes an ack only with the epoch it named",
    "knows_time": "Tells Unix time (else: milliseconds since boot)",
    "retains": "Has what it says retained by the broker",
    "has_last_will": "Leaves a last will with the broker",
    "renews_subscriptions": "Hears commands again after a broken connection",
    "correlates": "Repeats a command's correlation id",
    "needs_correlation": "Refuses a configuration without correlation id and generation",
    "repeats_config_id": "Repeats a configuration's correlation id",
    "accepts_empty_sections": "Takes an empty list in a configuration for no change",
    "documented_keys": "Is sent the documented names of the keys, too",
    "sensor_types": "Its own names of sensor types",
    "honours_duration": "Switches off by itself after a command's duration",
    "limits_runtime": "is told the longest time on of its actuators",
    "stops_alone": "switches everything off once the server is gone for two minutes",
    "honours_interval": "Measures in the rhythm it is told",
    "honours_pwm": "Gives any part of full power",
    "clears_emergency": "Ends an emergency when told (else: by a power cycle)",
    "measures_on_demand": "Measures on demand",
    "knows_subzones": "Knows subzones",
    "answers_zone_removal": "Answers when it is taken out of its zone",
    "hears_new_level": "Hears at once on a topic level it is moved to (else: after a restart)",
    "command_qos": "Quality of service of commands it subscribes with",
    "largest_config": "Bytes of one configuration message",
    "system_commands": "System commands",
}
"""What the attributes of a dialect say, for people."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of every message, beside how it travels."""
    return {
        "$schema": DRAFT,
        "title": "Messages between greenhouse devices and the server",
        "description": _ABOUT,
        "messages": {kind.name.lower(): _message(kind) for kind in Kind},
    }


def schema_text() -> str:
    """Return the JSON Schema as it is checked in."""
    text = msgspec.json.format(msgspec.json.encode(schema(), order="deterministic"), indent=2)
    return text.decode("utf-8") + "\n"


def topics_page() -> str:
    """Return the page of topics and firmware generations, in Markdown."""
    return _PAGE.format(
        inbound=_inbound(),
        outbound=_outbound(),
        generations=_generations(),
    )


def _message(kind: Kind) -> dict[str, Any]:
    route = kind.route
    return {
        "description": meaning(kind),
        "topic": route.pattern,
        "direction": route.direction.value,
        "qos": route.qos,
        "retain": route.retain,
        "expiry_seconds": None if route.expiry is None else int(route.expiry.total_seconds()),
        "max_bytes": LARGEST_OUTBOUND.get(kind, LARGEST_PAYLOAD),
        "payload": _payload(SHAPES[kind]),
    }


def _payload(shape: type[msgspec.Struct]) -> dict[str, Any]:
    (_,), parts = msgspec.json.schema_components((shape,), ref_template="#/$defs/{name}")
    own = parts.pop(shape.__name__)
    payload = {key: value for key, value in own.items() if key != "title"}
    return payload | ({"$defs": parts} if parts else {})


def _inbound() -> str:
    return _table(("Topic", "QoS", "Retained", "Meaning"), map(_topic, _kinds(Direction.TO_SERVER)))


def _outbound() -> str:
    return _table(
        ("Topic", "QoS", "Retained", "Expires after", "Meaning"),
        (
            (*travel, _expiry(kind), said)
            for kind in _kinds(Direction.TO_DEVICE)
            for *travel, said in [_topic(kind)]
        ),
    )


def _kinds(direction: Direction) -> list[Kind]:
    kinds = (kind for kind in Kind if kind.route.direction is direction)
    return sorted(kinds, key=lambda kind: kind.route.pattern)


def _topic(kind: Kind) -> tuple[str, ...]:
    route = kind.route
    return f"`{route.pattern}`", str(route.qos), _said(route.retain), meaning(kind)


def _expiry(kind: Kind) -> str:
    expiry = kind.route.expiry
    return "never" if expiry is None else f"{expiry.total_seconds():g} s"


def _generations() -> str:
    named = [each for each in FirmwareGeneration if each is not FirmwareGeneration.UNKNOWN]
    return _table(
        ("", *(each.value.replace("_", " ").capitalize() for each in named), "Not known yet"),
        (
            (_HABITS[field.name], *_row(field.name, [*named, FirmwareGeneration.UNKNOWN]))
            for field in fields(Dialect)
        ),
    )


def _row(name: str, generations: list[FirmwareGeneration]) -> Iterator[str]:
    return (_said(getattr(DIALECTS[generation], name)) for generation in generations)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(f"`{each}`" for each in sorted(value))
    if isinstance(value, Mapping):
        return ", ".join(f"`{name}`: `{own}`" for name, own in value.items()) or "none"
    return str(value)


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
