"""What growers are told of calibrations."""

from dataclasses import dataclass
from datetime import datetime

from domain.calibrations import Calibration
from domain.sensors import Sensor
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity


@dataclass(slots=True, kw_only=True)
class ReportCalibrations:
    """Implements domain.services.calibrate.Reports."""

    record: RecordEvents
    registry: Registry

    def calibrated(self, sensor: Sensor, calibration: Calibration) -> None:
        """A sensor was calibrated; a probe that is worn is a warning."""
        found = calibration.fit
        findings = " ".join(f"{_sentence(finding.message)}" for finding in found.findings)
        self.record(
            EventKind.SENSOR_CALIBRATED,
            Severity.WARNING if found.findings else Severity.INFO,
            f"{self._called(sensor)} was calibrated. {findings}".rstrip(),
            esp_id=sensor.key.esp_id,
            # Whoever does it again at once, and finds something else, is told that too.
            about=str(calibration.id),
            details={
                "sensor": sensor.name,
                "slope_percent": found.slope_percent,
                "zero_error": found.zero_error,
                "findings": ", ".join(finding.code for finding in found.findings),
            },
        )

    def calibration_expired(self, sensor: Sensor, since: datetime) -> None:
        """A calibration should have been repeated."""
        self.record(
            EventKind.CALIBRATION_EXPIRED,
            Severity.WARNING,
            f"The calibration of {self._called(sensor)} ran out on {since:%Y-%m-%d}: calibrate it "
            "again with startCalibration.",
            esp_id=sensor.key.esp_id,
            about=str(sensor.id),
            details={"sensor": sensor.name, "expired_at": since.isoformat()},
        )

    def _called(self, sensor: Sensor) -> str:
        return f"{sensor.name} of {self.registry.called(sensor.key.esp_id)}"


def _sentence(text: str) -> str:
    end = "" if text.endswith("?") else "."
    return f"{text[:1].upper()}{text[1:]}{end}"
