"""Alerts of pins, and the commands to them."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.actuators import CommandAction, Pin
from domain.devices import FirmwareEvidence
from mqtt_bridge.messages.base import ToDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorAlert:
    """A device protected itself or found something wrong; pin 255 stands for the whole device."""

    pin: Pin
    kaiser_id: str
    received_at: datetime
    alert_type: str
    message: str = ""
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorCommand(ToDevice):
    """A command on its way to a pin.

    Attributes:
        action: The command word.
        value: 0.0 (off) .. 1.0 (full), in steps of 0.0001 on the wire.
        duration: Seconds until the device switches off by itself; 0: until told otherwise.
        correlation_id: What newest firmware repeats in its response; None: nothing.
        issued_by: Who asked, repeated in the next status report; empty: nobody named.
        timestamp: When it was sent, in Unix seconds; 0: not said.
    """

    gpio: int
    action: CommandAction
    value: float
    duration: int = 0
    correlation_id: str | None = None
    issued_by: str = ""
    timestamp: int = 0
