"""Which sensors' conversions depend on what: worked out once, not for every reading."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.calibrations import Calibration
from domain.parameters import Companion, Parameter, Recipe
from domain.sensors import Measurement, Sensor, SensorKey


class Feed(NamedTuple):
    """A parameter that another sensor fills.

    Attributes:
        path: What readings call the other sensor.
    """

    companion: Companion
    source: Sensor
    path: str


class Origin(StrEnum):
    """Where the value of a parameter comes from."""

    DEFAULT = "DEFAULT"
    OWNER = "OWNER"
    CALIBRATION = "CALIBRATION"
    COMPANION = "COMPANION"


class Effective(NamedTuple):
    """What a conversion takes for a parameter.

    Attributes:
        value: None: there is none, and nothing can be said without it.
        source: The sensor that fills it, or would if it said something fresh; None: none does.
        at: When that measured the value; None: it is not from there.
    """

    parameter: Parameter
    value: float | None
    origin: Origin
    source: Sensor | None = None
    at: datetime | None = None


class Plan(NamedTuple):
    """What is known of a sensor for its conversion.

    Attributes:
        given: Parameters that its owner set, and over them those that its calibration found; None:
            the defaults hold.
        calibration: The one that is in force for the library that reads it.
        feeds: Parameters that other sensors fill.
        rank: 0: it needs nobody else; else one more than the sensors that it needs.
        lost: Which sensors that its owner named there are not any more; None: all are there.
        void: Why its newest calibration does not count; None: it does, or there is none.
    """

    sensor: Sensor
    given: Mapping[str, float] | None = None
    calibration: Calibration | None = None
    feeds: tuple[Feed, ...] = ()
    rank: int = 0
    lost: str | None = None
    void: str | None = None

    def known(self, parameter: Parameter) -> Effective:
        """Return what is known of a parameter, other sensors left aside."""
        name, given = parameter.name, self.given or {}
        if name not in given:
            return Effective(parameter, parameter.default, Origin.DEFAULT)
        found = self.calibration.fit.parameters if self.calibration else {}
        origin = Origin.CALIBRATION if name in found else Origin.OWNER
        return Effective(parameter, given[name], origin)


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of all sensors, as of one moment; whoever has none needs nothing.

    Attributes:
        by_sensor: By the id of the sensor.
        computed: Virtual sensors, by the ids of the sensors that they are computed from.
        virtual: The ids of virtual sensors.
        remembered: The ids of sensors whose readings must be remembered.
    """

    by_sensor: Mapping[int, Plan] = field(default_factory=dict)
    computed: Mapping[int, Sequence[Plan]] = field(default_factory=dict)
    virtual: frozenset[int] = frozenset()
    remembered: frozenset[int] = frozenset()


def plan_all(
    sensors: Iterable[Sensor],
    recipe: Callable[[str], Recipe | None],
    calibration: Callable[[int], Calibration | None],
) -> Plans:
    """Work out the plans of all sensors.

    Args:
        sensors: All that are known.
        recipe: What is known of a sensor type's library.
        calibration: What is in force of a sensor, by its id.
    """
    known = {sensor.key: sensor for sensor in sensors}
    plans: dict[int, Plan] = {}
    computed: defaultdict[int, list[Plan]] = defaultdict(list)
    for sensor in known.values():
        library = recipe(sensor.key.sensor_type)
        if library is None:
            continue
        found = calibration(sensor.id)
        if not (sensor.parameters or found or library.companions):
            continue
        plan = plans[sensor.id] = plan_of(sensor, library, found, known)
        if library.is_virtual and sensor.enabled and _complete(plan, library):
            for feed in plan.feeds:
                computed[feed.source.id].append(plan)
    virtual = frozenset(plan.sensor.id for fed in computed.values() for plan in fed)
    sources = {feed.source.id for plan in plans.values() for feed in plan.feeds}
    return Plans(
        {key: plan._replace(rank=_rank(plan, plans)) for key, plan in plans.items()},
        dict(computed),
        virtual,
        frozenset(sources | virtual),
    )


def plan_of(
    sensor: Sensor,
    recipe: Recipe,
    calibration: Calibration | None,
    known: Mapping[SensorKey, Sensor],
) -> Plan:
    """Work out the plan of one sensor; its rank is left open.

    Args:
        sensor: Which.
        recipe: What its library depends on.
        calibration: The newest of the sensor; one for another library does not count.
        known: All sensors, by key.
    """
    void = None
    if calibration is not None and calibration.library != recipe.name:
        void = f"its calibration was made for the library {calibration.library} and does not count"
        calibration = None
    given = {**sensor.parameters, **(calibration.fit.parameters if calibration else {})}
    feeds = [
        Feed(companion, source, source.key.path)
        for companion in recipe.companions
        if (source := _source(sensor, companion, known)) is not None
    ]
    lost = _lost(sensor, recipe, known)
    return Plan(sensor, given or None, calibration, tuple(feeds), lost=lost, void=void)


def lacking(plan: Plan, recipe: Recipe, known: Iterable[Effective]) -> str | None:
    """Say what nobody gives a sensor that should, so that a virtual one says nothing; None: all do.

    Args:
        plan: Of the sensor.
        recipe: What its library depends on.
        known: What a conversion now would take.
    """
    if plan.lost is not None or not recipe.is_virtual:
        return plan.lost
    if unfed := _unfed(plan, recipe):
        return f"nothing gives it {', '.join(unfed)}: name a sensor in its sources"
    missing = {effective.parameter.name for effective in known if effective.value is None}
    return "; ".join(c.note for c in recipe.companions if c.parameter in missing) or None


def complained(made: Measurement, plan: Plan | None) -> Measurement:
    """Let a measurement say which sensor is gone, or calibration void, that it should count on."""
    if plan is None or made.library is None or not (plan.lost or plan.void):
        return made
    notes = made.notes or {}
    said = [notes.get("reason"), plan.lost, plan.void]
    return made._replace(notes={**notes, "reason": "; ".join(filter(None, said))})


def _lost(sensor: Sensor, recipe: Recipe, known: Mapping[SensorKey, Sensor]) -> str | None:
    lost = [
        f"{parameter} was to come from {key.path}, which is gone"
        for parameter, key in sensor.sources.items()
        if key not in known and any(c.parameter == parameter for c in recipe.companions)
    ]
    return "; ".join(lost) or None


def _complete(plan: Plan, recipe: Recipe) -> bool:
    """Whether there is somebody or something for every parameter that has no default.

    Until its chip was heard as a whole, a virtual sensor says nothing: a half is no bad reading.
    """
    return not _unfed(plan, recipe)


def _unfed(plan: Plan, recipe: Recipe) -> Sequence[str]:
    fed = {feed.companion.parameter for feed in plan.feeds} | {*(plan.given or ())}
    return [p.name for p in recipe.parameters if p.default is None and p.name not in fed]


def _source(
    sensor: Sensor, companion: Companion, known: Mapping[SensorKey, Sensor]
) -> Sensor | None:
    named = sensor.sources.get(companion.parameter)
    if named is not None:
        return known.get(named)
    for sensor_type in companion.beside:
        beside = known.get(sensor.key._replace(sensor_type=sensor_type))
        if beside is not None and beside.id != sensor.id:
            return beside
    return None


def _rank(plan: Plan, plans: Mapping[int, Plan], above: frozenset[int] = frozenset()) -> int:
    above |= {plan.sensor.id}
    needed = [
        _rank(plans[feed.source.id], plans, above) if feed.source.id in plans else 0
        for feed in plan.feeds
        # Two that take from each other have no order.
        if feed.source.id not in above
    ]
    return 1 + max(needed, default=0) if plan.feeds else 0
