"""Whoever takes from a sensor that is removed is told of; nobody else is."""

from collections.abc import Mapping
from uuid import uuid4

from domain.services.record_events import RecordEvents
from domain.services.report_sources import ReportSources
from domain.system_events import Detail, Severity
from tests.converting import ESP, House
from tests.fakes import FakeClock, FakeEventStream
from tests.makers import make_guard


class Removing(House):
    def __init__(self) -> None:
        super().__init__()
        clock = FakeClock()
        guard = make_guard(clock)
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=FakeEventStream(),
            clock=clock,
            guard=guard,
            new_id=uuid4,
        )
        self.sources = ReportSources(
            record=self.record, registry=self.registry, recipe=self.libraries.recipe
        )

    def remove(self, *sensor_types: str) -> None:
        gone = [s for s in self.registry.sensors() if s.key.sensor_type in sensor_types]
        for sensor in gone:
            self.registry.remove_sensor(sensor.key)
        self.sources.removed(gone)

    @property
    def told(self) -> list[tuple[str, Severity, str, Mapping[str, Detail]]]:
        events = [burst.event for burst in self.record._waiting]
        return [(event.kind, event.severity, event.message, event.details) for event in events]


def test_a_virtual_sensor_that_falls_silent_is_told_with_what_is_gone() -> None:
    house = Removing()
    for sensor_type in ("sht31_temp", "sht31_humidity", "vpd"):
        house.has(sensor_type, 0, "68", name=sensor_type.upper())
    house.remove("sht31_humidity")
    ((kind, severity, message, details),) = house.told
    assert (kind, severity) == ("SOURCE_REMOVED", Severity.WARNING)
    assert message == (
        f"VPD of {ESP} took its humidity from SHT31_HUMIDITY, which was removed: it says nothing "
        "any more. Name another one in its sources."
    )
    assert details == {
        "sensor": f"{ESP}/0/vpd/68",
        "parameter": "humidity",
        "source": f"{ESP}/0/sht31_humidity/68",
    }


def test_a_probe_that_goes_on_by_assuming_something_says_what() -> None:
    house = Removing()
    bath = house.has("ds18b20", 4, name="Bath")
    house.has("ph", 34, name="Acid", sources={"temperature": bath.key})
    house.remove("ds18b20")
    (told,) = house.told
    assert told[2] == (
        f"Acid of {ESP} took its temperature from Bath, which was removed: no live temperature of "
        "the solution: taken for 25 °C. Name another one in its sources."
    )


def test_what_nobody_takes_from_and_what_goes_together_is_not_told() -> None:
    house = Removing()
    for sensor_type in ("sht31_temp", "sht31_humidity", "vpd", "ds18b20"):
        house.has(sensor_type, 0, "68")
    house.remove("ds18b20", "vpd")
    assert house.told == []
    house.remove("sht31_temp", "sht31_humidity")
    assert house.told == []
