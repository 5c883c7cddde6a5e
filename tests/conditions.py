"""Conditions, worlds and histories for tests of the condition language."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.actuators import ActuatorState, Pin
from domain.devices import DeviceStatus
from domain.rules.conditions import (
    ActuatorIs,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    DeviceIs,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Stale,
    Threshold,
)
from domain.rules.schedule import DstPolicy, TimeWindow
from domain.rules.sun import Place, SunEvent, SunWindow
from domain.rules.world import Observation, World
from domain.sensors import Quality, SensorKey

NOON = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""Where histories begin: half an hour before the clock leaps in Berlin."""

SENSORS = tuple(SensorKey("ESP_A", gpio, "ds18b20") for gpio in range(3))
PINS = (Pin("ESP_A", 20), Pin("ESP_B", 21))
DEVICES = ("ESP_A", "ESP_B")


def seen(
    value: float | None,
    at: datetime,
    reading_id: int = 1,
    unit: str | None = "°C",
    quality: Quality = Quality.GOOD,
) -> Observation:
    return Observation(reading_id, value, unit, at, quality)


sensors = st.sampled_from(SENSORS)
values = st.integers(0, 8).map(lambda half: 16 + half / 2)
units = st.sampled_from([None, "°C", "°C", "°F", "lx"])
ages = st.sampled_from([None, timedelta(minutes=3), timedelta(minutes=7)])
times = st.sampled_from([timedelta(0), timedelta(minutes=2), timedelta(minutes=5)])
comparing = st.sampled_from([operator for operator in Operator if operator is not Operator.BETWEEN])
limits = st.one_of(
    st.tuples(comparing, values).map(lambda drawn: Limit(*drawn)),
    st.tuples(values, st.integers(0, 3)).map(
        lambda drawn: Limit(Operator.BETWEEN, drawn[0], drawn[0] + drawn[1])
    ),
)
pairs = st.sampled_from([(keys, other) for keys in SENSORS for other in SENSORS if keys != other])
offsets = st.integers(-90, 0).map(lambda minutes: timedelta(minutes=minutes))

leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Threshold, sensor=sensors, limit=limits, unit=units, hold_for=times, max_age=ages),
    st.builds(
        lambda sensor, low, gap, rising, unit, age: Hysteresis(
            sensor=sensor,
            activate=low + gap if rising else low,
            deactivate=low if rising else low + gap,
            rising=rising,
            unit=unit,
            max_age=age,
        ),
        sensors,
        values,
        st.sampled_from([0.5, 1.0, 2.0]),
        st.booleans(),
        units,
        ages,
    ),
    st.builds(
        lambda pair, operator, offset, age: Comparison(
            left=pair[0], right=pair[1], operator=operator, offset=offset, max_age=age
        ),
        pairs,
        comparing,
        st.sampled_from([-1.0, 0.0, 0.5]),
        ages,
    ),
    st.builds(
        Rate,
        sensor=sensors,
        limit=st.sampled_from([Limit(Operator.GT, 0.0), Limit(Operator.LT, -0.25)]),
        over=st.sampled_from([timedelta(minutes=2), timedelta(minutes=6)]),
        unit=units,
        max_age=ages,
    ),
    st.builds(
        lambda start, length, days, zone, dst: TimeWindow(
            start=start,
            end=(start + length) % 1440,
            days=frozenset(days),
            time_zone=zone,
            dst=dst,
        ),
        st.sampled_from([0, 60, 105, 120, 135, 150, 1380]),
        st.sampled_from([15, 30, 60, 240]),
        st.sets(st.integers(0, 6), min_size=1),
        st.sampled_from(["UTC", "Europe/Berlin"]),
        st.sampled_from(DstPolicy),
    ),
    st.builds(
        SunWindow,
        start=st.sampled_from(SunEvent),
        end=st.sampled_from(SunEvent),
        place=st.sampled_from([Place(52.5, 13.4), Place(10, 75), Place(80, 0)]),
        start_offset=offsets,
        end_offset=st.just(timedelta(minutes=30)),
    ),
    st.builds(
        Stale, sensor=sensors, older_than=st.sampled_from([timedelta(minutes=m) for m in (1, 4)])
    ),
    st.builds(DeviceIs, esp_id=st.sampled_from(DEVICES), status=st.sampled_from(DeviceStatus)),
    st.builds(
        lambda pin, on, least, age: ActuatorIs(
            pin=pin, on=on, at_least=None if on is not None else least, max_age=age
        ),
        st.sampled_from(PINS),
        st.sampled_from([True, False, None]),
        st.sampled_from([0.25, 1.0]),
        ages,
    ),
)


def _branches(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AllOf, several), st.builds(AnyOf, several), st.builds(Not, inner))


conditions: st.SearchStrategy[Condition] = st.recursive(leaves, _branches, max_leaves=5)

qualities = st.sampled_from([Quality.GOOD] * 6 + [Quality.BAD, Quality.UNKNOWN])
observations = st.builds(
    lambda value, unit, quality, late: (value, unit, quality, late),
    st.one_of(st.none(), values, values, values),
    st.sampled_from(["°C"] * 6 + [None, "°F"]),
    qualities,
    # Mostly at once; sometimes late, sometimes by a clock that is ahead.
    st.sampled_from([0] * 8 + [90, 400, -45]),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 10) -> list[tuple[datetime, World]]:
    """Draw what a rule lives through: instants that never go back, and the world at each."""
    now, reading_id = NOON, 0
    readings: dict[SensorKey, Observation] = {}
    devices: dict[str, DeviceStatus] = {}
    actuators: dict[Pin, ActuatorState] = {}
    found = []
    for _ in range(draw(st.integers(1, most))):
        now += timedelta(seconds=draw(st.sampled_from([0, 1, 20, 60, 60, 120, 300, 1800])))
        for key in draw(st.sets(sensors, max_size=2)):
            reading_id += 1
            value, unit, quality, late = draw(observations)
            at = now - timedelta(seconds=late)
            readings[key] = Observation(reading_id, value, unit, at, quality)
        if draw(st.booleans()):
            devices[draw(st.sampled_from(DEVICES))] = draw(st.sampled_from(DeviceStatus))
            value = draw(st.sampled_from([0.0, 0.25, 1.0]))
            actuators[draw(st.sampled_from(PINS))] = ActuatorState(
                value=value,
                is_active=value > 0,
                reported_at=draw(st.sampled_from([now, now, None])),
            )
        world = World(
            readings=dict(readings),
            devices=dict(devices),
            actuators=dict(actuators),
            max_age=timedelta(minutes=10),
        )
        found.append((now, world))
    return found
