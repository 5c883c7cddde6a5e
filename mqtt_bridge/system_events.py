"""What devices complain of, on the wire: told to where growers hear it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.actuators import Pin
from domain.system_events import Detail, Severity
from mqtt_bridge.control import Control
from mqtt_bridge.messages import ActuatorAlert, DeviceError


class DeviceReports(Protocol):
    """Where growers are told what devices complain of."""

    def device_error(
        self,
        esp_id: str,
        said: int | str,
        severity: Severity,
        *,
        message: str,
        details: Mapping[str, Detail],
    ) -> None:
        """A device reported an error."""
        ...

    def alert(self, pin: Pin, said: str, message: str) -> None:
        """A device protected an actuator, or itself."""
        ...


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class SystemEventWire:
    """Tells growers what devices complain of."""

    reports: DeviceReports
    journal: Journal

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on(ActuatorAlert, self._alert)
        control.on(DeviceError, self._error)

    async def _alert(self, alert: ActuatorAlert) -> None:
        self.journal.warning(
            "actuator.alert",
            esp_id=alert.pin.esp_id,
            gpio=alert.pin.gpio,
            alert=alert.alert_type,
            message=alert.message,
        )
        self.reports.alert(alert.pin, alert.alert_type, alert.message)

    async def _error(self, error: DeviceError) -> None:
        self.reports.device_error(
            error.esp_id,
            error.name if error.code is None else error.code,
            error.severity,
            message=error.message,
            details=error.details,
        )
