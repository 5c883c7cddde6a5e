"""Emergency stops: everything, one device or one actuator is off until a person says otherwise.

A stop is latched: only clearing ends it. It stands above whatever its devices do meanwhile, so it
is kept apart from what each of them has confirmed. A stop in software complements a wired one; it
does not replace it.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.actuators import Pin

CLEAR_AFTER = timedelta(seconds=5)
"""Before that, a device refuses to clear an emergency (device protocol, section 3.5)."""

RESUME_WITHIN = timedelta(minutes=10)
"""How long after clearing a device is still asked to resume: nobody expects it hours later."""

LONGEST_REASON = 200
"""Characters of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedDevice:
    """How a device stands to a stop that concerns it.

    Attributes:
        confirmed_at: When it showed that it has stopped; None: it did not yet, or it was away
            since and has to show it again.
        released_at: When it was free again after the stop was cleared; None: it is not yet.
        resumed_at: When it was asked to resume; None: never.
    """

    esp_id: str
    confirmed_at: datetime | None = None
    released_at: datetime | None = None
    resumed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStop:
    """A stop, from the moment somebody wants it until its devices are free again.

    Attributes:
        esp_id: The one device that it concerns; None: every device, known or not.
        gpio: The one actuator of that device; None: the whole device.
        triggered_by: The person who wanted it; None: a device, or the server itself.
        cleared_at: When a person ended it; None: it is in force.
        resume: Whether devices are asked to go on once they are free.
        devices: How each device that it concerns stands to it, by esp_id.
    """

    id: UUID
    reason: str
    esp_id: str | None = None
    gpio: int | None = None
    triggered_by: UUID | None = None
    triggered_at: datetime
    cleared_by: UUID | None = None
    cleared_at: datetime | None = None
    resume: bool = False
    devices: Mapping[str, StoppedDevice] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it is in force."""
        return self.cleared_at is None

    def concerns(self, esp_id: str) -> bool:
        """Whether it is about a device, or about an actuator of it."""
        return self.esp_id in {None, esp_id}

    def covers(self, pin: Pin) -> bool:
        """Whether it is in force for an actuator."""
        return self.active and self.concerns(pin.esp_id) and self.gpio in {None, pin.gpio}

    def holds(self, esp_id: str) -> bool:
        """Whether it is in force for a device as a whole."""
        return self.active and self.concerns(esp_id) and self.gpio is None

    def including(self, esp_ids: Iterable[str]) -> "EmergencyStop":
        """Return it with devices that it concerns, too."""
        new = {
            esp_id: StoppedDevice(esp_id=esp_id)
            for esp_id in esp_ids
            if esp_id not in self.devices and self.concerns(esp_id)
        }
        return replace(self, devices={**self.devices, **new}) if new else self

    def noting(self, device: StoppedDevice) -> "EmergencyStop":
        """Return it with what is known of a device now."""
        return replace(self, devices={**self.devices, device.esp_id: device})

    def cleared(self, at: datetime, by: UUID | None, *, resume: bool) -> "EmergencyStop":
        """Return it ended: its devices are free once they confirm it.

        An actuator of its own is free at once, and nothing has to resume: its device was only told
        to switch it off.
        """
        devices = self.devices
        if self.gpio is not None:
            resume = False
            devices = {
                esp_id: replace(device, released_at=at) for esp_id, device in devices.items()
            }
        return replace(self, cleared_at=at, cleared_by=by, resume=resume, devices=devices)

    def resumes(self, device: StoppedDevice, now: datetime) -> bool:
        """Whether a device is still to be asked to go on, once it is free."""
        return (
            self.resume
            and device.resumed_at is None
            and self.cleared_at is not None
            and now < self.cleared_at + RESUME_WITHIN
        )

    def leaves(self, device: StoppedDevice) -> bool:
        """Whether something is left to be done about a device, now or, for a while, later."""
        if self.active:
            return device.confirmed_at is None
        return device.released_at is None or (self.resume and device.resumed_at is None)

    def over(self, now: datetime, known: Container[str], devices: Iterable[StoppedDevice]) -> bool:
        """Whether nothing is left to be done about it.

        Args:
            now: The time.
            known: The devices that are known.
            devices: Of its devices those that it `leaves`.
        """
        return not self.active and all(
            device.released_at is not None and not self.resumes(device, now)
            for device in devices
            if device.esp_id in known
        )

    @property
    def scope(self) -> str:
        """What it stops, for a sentence."""
        if self.esp_id is None:
            return "every device"
        return self.esp_id if self.gpio is None else f"GPIO {self.gpio} of {self.esp_id}"
