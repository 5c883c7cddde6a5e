"""Reads what virtual devices say as the server does."""

from collections.abc import Iterable
from datetime import UTC, datetime

from domain.devices import FirmwareGeneration
from mqtt_bridge import dialects, payloads, topics
from mqtt_bridge.messages import Inbound, Outgoing
from tests.esp32.driving import START


def read(message: Outgoing) -> Inbound:
    """Return the message that the server hears."""
    topic = topics.parse(message.topic)
    assert topic is not None
    return payloads.decode(topic, message.payload, datetime.fromtimestamp(START, UTC))


def generation_of(sent: Iterable[Outgoing]) -> FirmwareGeneration:
    """Return what the server takes a device for that said all this."""
    known = FirmwareGeneration.UNKNOWN
    for message in sent:
        known = dialects.learn(known, read(message))
    return known
