"""What growers are told when a sensor is removed that others take from.

A virtual sensor says nothing from then on, and no later reading could tell why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.conversion_plans import Feed, plan_of
from domain.parameters import Recipe
from domain.sensors import Sensor
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity


@dataclass(slots=True, kw_only=True)
class ReportSources:
    """Knows who takes from whom.

    Attributes:
        recipe: What the conversion of a sensor type depends on; None: no library reads it.
    """

    record: RecordEvents
    registry: Registry
    recipe: Callable[[str], Recipe | None]

    def removed(self, gone: Sequence[Sensor]) -> None:
        """Tell who took from sensors that are not there any more."""
        keys = {sensor.key for sensor in gone}
        left = tuple(self.registry.sensors())
        before = {sensor.key: sensor for sensor in (*left, *gone)}
        for sensor in left:
            recipe = self.recipe(sensor.key.sensor_type)
            if recipe is None or not recipe.companions:
                continue
            for feed in plan_of(sensor, recipe, None, before).feeds:
                if feed.source.key in keys:
                    self._tell(sensor, recipe, feed)

    def _tell(self, sensor: Sensor, recipe: Recipe, feed: Feed) -> None:
        companion, source = feed.companion, feed.source
        called = self.registry.called(sensor.key.esp_id)
        then = "it says nothing any more" if recipe.is_virtual else companion.note
        self.record(
            EventKind.SOURCE_REMOVED,
            Severity.WARNING,
            f"{sensor.name} of {called} took its {companion.parameter} from {source.name}, which "
            f"was removed: {then}. Name another one in its sources.",
            esp_id=sensor.key.esp_id,
            about=f"{sensor.id} {companion.parameter}",
            details={
                "sensor": sensor.key.path,
                "parameter": companion.parameter,
                "source": source.key.path,
            },
        )
