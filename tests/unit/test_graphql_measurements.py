"""Values in other units, series over time, thresholds: asked for, set, and refused with reasons."""

from datetime import timedelta
from typing import Any

import pytest

from domain.errors import BadInputError
from domain.sensors import Measurement, ProcessingMode, Quality
from domain.services.configure import Configure
from tests.fakes import START
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import make_device, make_reading, make_sensor

REF = 'espId: "ESP_A", gpio: 4, sensorType: "ds18b20"'
SET = """mutation($input: SensorConfigInput!) {
    setSensor(input: $input) { thresholds qualityLimits }
}"""
THRESHOLDS = {"unit": "°C", "warning": {"high": 30.0}, "alarm": {"high": 35.0}, "hysteresis": 1.0}


async def house(*values: float | None, unit: str | None = "°C") -> GraphqlServer:
    """A sensor with a reading every ten seconds."""
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A"))
    sensor = await server.has_sensor(make_sensor("ESP_A", 4))
    for number, value in enumerate(values):
        made = Measurement(value, unit, Quality.GOOD, ProcessingMode.LOCAL)
        at = START + timedelta(seconds=10 * number)
        server.storage.readings.rows.append(
            make_reading(number + 1, sensor=sensor, measured_at=at, measurement=made)
        )
    return server


async def latest(server: GraphqlServer, fields: str) -> Any:  # noqa: ANN401 - any JSON
    answer = await server.ask(f"{{ sensor({REF}) {{ latest {{ {fields} }} }} }}")
    return answer["sensor"]["latest"]


async def refusal(server: GraphqlServer, query: str, **variables: object) -> str:
    result = await server.execute(query, variables)
    assert code_of(result) == "BAD_INPUT"
    assert result.errors
    return result.errors[0].message


async def test_a_value_is_told_in_the_unit_that_is_asked_for() -> None:
    server = await house(21.5)
    assert await latest(server, 'value inF: value(unit: "F") inK: value(unit: "K") unit') == {
        "value": 21.5,
        "inF": 70.7,
        "inK": 294.65,
        "unit": "°C",
    }
    assert await latest(await house(None), 'value(unit: "°F")') == {"value": None}


@pytest.mark.parametrize("value", [21.5, None])
async def test_a_unit_that_is_unknown_or_of_another_kind_is_refused_with_those_that_fit(
    value: float | None,
) -> None:
    server = await house(value)
    ask = f'{{ sensor({REF}) {{ latest {{ value(unit: "%s") }} }} }}'
    assert await refusal(server, ask % "mS/cm") == (
        "mS/cm is a unit of conductivity, °C one of temperature; for °C, ask for °C, °F, K"
    )
    assert "'furlong' is no unit known here" in await refusal(server, ask % "furlong")
    without = await house(value, unit=None)
    assert "has no unit" in await refusal(without, ask % "°F")


async def test_a_series_puts_readings_together() -> None:
    server = await house(20.0, 22.0, None, 30.0)
    answer = await server.ask(
        f"""{{ sensor({REF}) {{ series(from: "2026-01-01T12:00:00Z", to: "2026-01-01T12:01:00Z",
            every: "PT20S", unit: "°F") {{
                every unit sensor {{ gpio }} points {{ start count mean min max last }}
        }} }} }}"""
    )
    first, second = answer["sensor"]["series"].pop("points")
    assert answer["sensor"]["series"] == {"every": "PT20S", "unit": "°F", "sensor": {"gpio": 4}}
    assert first == {
        "start": "2026-01-01T12:00:00Z",
        "count": 2,
        "mean": 69.8,
        "min": 68.0,
        "max": 71.6,
        "last": 71.6,
    }
    assert (second["start"], second["count"]) == ("2026-01-01T12:00:20Z", 1)


async def test_a_series_chooses_its_own_step_and_ends_now() -> None:
    server = await house(20.0)
    series = f'{{ sensor({REF}) {{ series(from: "2026-01-01T11:00:00Z"%s) {{ every unit }} }} }}'
    answer = await server.ask(series % ", maxPoints: 60")
    assert answer["sensor"]["series"] == {"every": "PT1M", "unit": "°C"}
    assert "maxPoints must lie between" in await refusal(server, series % ", maxPoints: 0")
    assert "up to 3600 points" in await refusal(server, series % ', every: "PT1S", maxPoints: 9')
    assert "from must be before to" in await refusal(
        server, series % ', to: "2020-01-01T00:00:00Z"'
    )


async def test_thresholds_and_limits_are_set_shown_and_ended() -> None:
    server = await house()
    settings: dict[str, object] = {"espId": "ESP_A", "gpio": 4, "sensorType": "ds18b20"}
    limits = {"unit": "°C", "typical": [10.0, 30.0], "warmUp": 60.0}
    both = {"thresholds": THRESHOLDS, "qualityLimits": limits}
    assert await server.ask(SET, input=settings | both) == {"setSensor": both}
    assert await server.ask(SET, input=settings | {"name": "Air"}) == {"setSensor": both}
    ended: dict[str, object] = {"thresholds": {}, "qualityLimits": {}}
    assert await server.ask(SET, input=settings | ended) == {
        "setSensor": {"thresholds": None, "qualityLimits": None}
    }
    wrong = settings | {"thresholds": {"alarm": {"high": 3}}}
    assert "thresholds need a unit" in await refusal(server, SET, input=wrong)


async def test_where_a_sensor_stands_to_its_thresholds_is_shown() -> None:
    server = await house(25.0, 31.0)
    ask = f"{{ sensor({REF}) {{ thresholdState {{ zone since }} }} }}"
    assert await server.ask(ask) == {"sensor": {"thresholdState": None}}
    settings: dict[str, object] = {"espId": "ESP_A", "gpio": 4, "sensorType": "ds18b20"}
    await server.ask(SET, input=settings | {"thresholds": THRESHOLDS})
    server.services.watch_thresholds(server.storage.readings.rows)
    assert await server.ask(ask) == {
        "sensor": {"thresholdState": {"zone": "WARNING_HIGH", "since": "2026-01-01T12:00:10Z"}}
    }


@pytest.mark.parametrize(
    ("given", "mode", "shown"),
    [
        (None, None, "°C"),
        ("°F", None, "°F"),
        (None, ProcessingMode.PI_ENHANCED, "°C"),
        (None, ProcessingMode.RAW, None),
    ],
)
async def test_a_sensor_is_measured_in_the_unit_of_its_library_where_nobody_names_another(
    given: str | None, mode: ProcessingMode | None, shown: str | None
) -> None:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A"))
    await server.has_sensor(make_sensor("ESP_A", 4, unit=given, processing_mode=mode))
    assert await server.ask(f"{{ sensor({REF}) {{ unit }} }}") == {"sensor": {"unit": shown}}


async def test_thresholds_in_a_unit_that_the_sensor_type_does_not_have_are_refused() -> None:
    server = await house()
    configure = server.services.configure
    assert isinstance(configure, Configure)
    configure.unit_of = {"ds18b20": "°C"}.get
    key = make_sensor("ESP_A", 4).key
    with pytest.raises(BadInputError, match="thresholds: pH is a unit of pH, °C one of temper"):
        await configure.set_sensor(key, thresholds={"unit": "pH", "alarm": {"high": 7}})
    sensor = await configure.set_sensor(key, thresholds={"unit": "F", "alarm": {"high": 95}})
    assert sensor.thresholds is not None
    assert sensor.thresholds.unit == "°F"
