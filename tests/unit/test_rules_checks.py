"""What a condition asks for is there and fits, or it is said where it does not."""

from collections.abc import Mapping

import pytest

from domain.actuators import Pin
from domain.rules.checks import Known, check
from domain.rules.fields import FindingsError
from domain.rules.notation import read_condition
from domain.rules.world import Observation
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, SensorKey
from tests.conditions import NOON, SENSORS
from tests.makers import make_reading

LEFT, RIGHT, _ = SENSORS


def written(key: SensorKey) -> dict[str, object]:
    return {"espId": key.esp_id, "gpio": key.gpio, "sensorType": key.sensor_type}


LEAVES: Mapping[str, dict[str, object]] = {
    "threshold": {"sensor": written(LEFT), "operator": "GT", "value": 1, "unit": "°C"},
    "hysteresis": {
        "sensor": written(LEFT),
        "activateAbove": 2,
        "deactivateBelow": 1,
        "unit": "°C",
    },
    "rate": {
        "sensor": written(LEFT),
        "operator": "GT",
        "value": 1,
        "over": "PT5M",
        "unit": "°C",
    },
    "comparison": {"left": written(LEFT), "operator": "GT", "right": written(RIGHT)},
    "stale": {"sensor": written(LEFT), "olderThan": "PT5M"},
    "deviceStatus": {"espId": "ESP_A", "status": "ONLINE"},
    "actuatorState": {"actuator": {"espId": "ESP_A", "gpio": 20}, "on": True},
    "timeWindow": {"start": "08:00", "end": "09:00"},
}
ALL = {"all": [{kind: leaf} for kind, leaf in LEAVES.items()]}
THERE = Known(sensors={LEFT: "°C", RIGHT: "°F"}, devices={"ESP_A"}, actuators={Pin("ESP_A", 20)})


def test_what_is_there_and_fits_is_not_spoken_of() -> None:
    assert check(read_condition(ALL), THERE).all == ()


def test_what_is_not_there_yet_is_told_with_its_place_and_does_not_refuse() -> None:
    found = check(read_condition(ALL), Known())
    found.require_none()
    assert [finding.place for finding in found.all] == [
        "condition.all[0].threshold.sensor",
        "condition.all[1].hysteresis.sensor",
        "condition.all[2].rate.sensor",
        "condition.all[3].comparison.left",
        "condition.all[3].comparison.right",
        "condition.all[4].stale.sensor",
        "condition.all[5].deviceStatus.espId",
        "condition.all[6].actuatorState.actuator",
    ]


def test_units_that_never_fit_are_refused() -> None:
    with pytest.raises(FindingsError) as caught:
        check(read_condition(ALL), Known(sensors={LEFT: "lx", RIGHT: "°C"})).require_none()
    assert [finding.place for finding in caught.value.findings] == [
        "condition.all[0].threshold.unit",
        "condition.all[1].hysteresis.unit",
        "condition.all[2].rate.unit",
        "condition.all[3].comparison.right",
    ]


def test_a_sensor_whose_unit_nobody_knows_yet_is_a_warning() -> None:
    one = read_condition({"threshold": LEAVES["threshold"]}, place="interlocks[2]")
    (finding,) = check(one, Known(sensors={LEFT: None}), "interlocks[2]").all
    assert (finding.place, finding.warning) == ("interlocks[2].threshold.unit", True)


def test_an_observation_is_a_reading_that_was_not_measured_after_it_was_received() -> None:
    made = Measurement(4.5, "°C", Quality.FAIR, ProcessingMode.LOCAL)
    reading: Reading = make_reading()._replace(
        id=8, measurement=made, received_at=NOON, measured_at=NOON.replace(year=2030)
    )
    assert Observation.of(reading) == Observation(8, 4.5, "°C", NOON, Quality.FAIR)
