"""What growers are told of recomputations."""

from dataclasses import dataclass

from domain.recomputations import Recomputation, RecomputationState
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity

_SAID = {
    RecomputationState.DONE: (
        EventKind.READINGS_RECOMPUTED,
        Severity.INFO,
        "{count} of {rows} readings of {sensor} changed as they were converted again.",
    ),
    RecomputationState.TAKEN_BACK: (
        EventKind.RECOMPUTATION_TAKEN_BACK,
        Severity.INFO,
        "{count} readings of {sensor} are as they were before they were converted again.",
    ),
    RecomputationState.CANCELLED: (
        EventKind.RECOMPUTATION_TAKEN_BACK,
        Severity.INFO,
        "Converting readings of {sensor} again was cancelled; all of them are as they were.",
    ),
    RecomputationState.FAILED: (
        EventKind.RECOMPUTATION_FAILED,
        Severity.WARNING,
        "Readings of {sensor} could not be converted again, all are as they were: {reason}.",
    ),
}


@dataclass(slots=True, kw_only=True)
class ReportRecomputations:
    """Implements domain.services.recompute.Reports."""

    record: RecordEvents
    registry: Registry

    def ended(self, recomputation: Recomputation) -> None:
        """A recomputation came to its end, one way or another."""
        sensor = self.registry.sensor_by_id(recomputation.span.sensor_id)
        if sensor is None or recomputation.state not in _SAID:
            return
        kind, severity, text = _SAID[recomputation.state]
        summary = recomputation.summary
        self.record(
            kind,
            severity,
            text.format(
                sensor=f"{sensor.name} of {self.registry.called(sensor.key.esp_id)}",
                count=summary.rewritten,
                rows=summary.rows,
                reason=recomputation.reason,
            ),
            esp_id=sensor.key.esp_id,
            about=str(recomputation.id),
            details={
                "sensor": sensor.name,
                "state": recomputation.state,
                "from": recomputation.span.start.isoformat(),
                "to": recomputation.span.end.isoformat(),
                "rows": summary.rows,
                "changed": summary.changed,
                "left_alone": summary.local + summary.unconverted,
            },
        )
