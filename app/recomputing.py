"""Recomputations of the past, put together."""

from uuid_utils.compat import uuid7

from app.ground import Ground
from domain.services.judge_readings import JudgeReadings
from domain.services.recompute import Recompute
from domain.services.record_events import RecordEvents
from domain.services.report_recomputations import ReportRecomputations
from sensor_libs.limits import LibraryLimits
from sensor_libs.runner import LibraryRunner


def recomputing(ground: Ground, libraries: LibraryRunner, record: RecordEvents) -> Recompute:
    """Make the service that converts the past again."""
    judge = JudgeReadings(
        registry=ground.registry, library_limits=LibraryLimits(lambda: libraries.catalog)
    )
    return Recompute(
        storage=ground.database,
        registry=ground.registry,
        libraries=libraries,
        limits=judge.limits,
        clock=ground.clock,
        guard=ground.storage_guard(),
        reports=ReportRecomputations(record=record, registry=ground.registry),
        new_id=uuid7,
    )
