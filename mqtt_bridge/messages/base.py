"""What all messages from devices have in common, and the form in which unknown facts are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from domain.system_events import Detail

Details: TypeAlias = Mapping[str, Detail]
"""Facts under the device's own names: clean, few, and fit to be stored and shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromDevice:
    """What a device said.

    Attributes:
        esp_id: Which device.
        kaiser_id: The topic level it speaks on; answers go out on the same.
        received_at: The server's time of receipt.
    """

    esp_id: str
    kaiser_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDevice:
    """What is meant for one device."""

    esp_id: str
    kaiser_id: str


@dataclass(frozen=True, slots=True)
class Empty:
    """Somebody cleared a retained message: nothing was said, and nothing is wrong."""


class Outgoing(NamedTuple):
    """A message as the broker takes it.

    Attributes:
        expiry: After which nobody shall get it any more; None: it never goes bad.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry: timedelta | None = None
