"""What people declare to keep an actuator from doing harm: interlocks, effect, loss of the server.

Pure. Interlocks are conditions in the language of rules; each must hold for anything but OFF, and
what is not known does not hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from domain.actuators import Pin
from domain.rules.checks import Known, check
from domain.rules.conditions import Condition, doubtful_sensors, watched_actuators
from domain.rules.evaluate import Verdict, evaluate
from domain.rules.fields import Fields, Finding, Findings
from domain.rules.notation import USUAL, Defaults, read_condition_into, write_condition
from domain.rules.objections import objections
from domain.rules.world import ConditionState, World
from domain.times import write_duration

MOST_INTERLOCKS = 16

SHORTEST_EFFECT = timedelta(seconds=1)
LONGEST_EFFECT = timedelta(days=1)
"""How long people may wait for an effect."""

LOST_AFTER = timedelta(seconds=120)
"""When a server counts as lost: the time after which the newest firmware gives up on it (device
protocol, section 3.1)."""


class OnServerLoss(StrEnum):
    """What an actuator is to do when server or broker are gone."""

    HOLD_LEASE = "HOLD_LEASE"
    """Stay on until its lease ends."""
    OFF = "OFF"
    """Go off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What must be seen once an actuator is on.

    Attributes:
        condition: It is judged on what was measured since the actuator is on.
        within: How long it may take.
        switch_off: Whether the actuator goes off where it is not seen; people are told anyhow.
    """

    condition: Condition
    within: timedelta
    switch_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """All that is declared of one actuator."""

    interlocks: tuple[Condition, ...] = ()
    effect: Effect | None = None
    on_server_loss: OnServerLoss = OnServerLoss.HOLD_LEASE

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition in them."""
        return self.interlocks + ((self.effect.condition,) if self.effect else ())


UNGUARDED = Safeguards()
"""Of an actuator of which nothing is declared."""


# ---------------------------------------------------------------- judging


class Interlock(NamedTuple):
    """One condition, and what is remembered of it."""

    condition: Condition
    state: ConditionState = ConditionState()

    def judge(self, world: World, now: datetime) -> Verdict:
        """Return what it comes to."""
        return evaluate(self.condition, world, self.state, now)


class Interlocks(NamedTuple):
    """The interlocks of an actuator, and what they are judged on.

    Attributes:
        world: With the newest reading of each sensor, good or bad.
        now: In UTC; only needed where there are any.
    """

    every: tuple[Interlock, ...] = ()
    world: World = World()
    now: datetime = datetime.min.replace(tzinfo=UTC)


NO_INTERLOCKS = Interlocks()


def broken(interlocks: Interlocks) -> Iterator[str]:
    """Yield what stands in the way, one sentence for each interlock that does not hold."""
    for interlock in interlocks.every:
        verdict = interlock.judge(interlocks.world, interlocks.now)
        if verdict.holds is not True:
            yield "; ".join(objections(verdict.explanation))


# ---------------------------------------------------------------- as JSON


def read_interlocks(
    findings: Findings, given: object, defaults: Defaults = USUAL, place: str = "interlocks"
) -> tuple[Condition, ...]:
    """Read interlocks as people write them; what is wrong is among the findings."""
    items: Sequence[object] = given if isinstance(given, list | tuple) else [given]
    if len(items) > MOST_INTERLOCKS:
        findings.add(place, f"an actuator has {MOST_INTERLOCKS} interlocks at most")
        return ()
    read = (
        read_condition_into(findings, item, defaults, f"{place}[{index}]")
        for index, item in enumerate(items)
    )
    return tuple(condition for condition in read if condition is not None)


def read_effect(
    findings: Findings, given: object, defaults: Defaults = USUAL, place: str = "effect"
) -> Effect | None:
    """Read an effect as people write it; what is wrong is among the findings."""
    fields = Fields.of(given, place, ("condition", "within", "switchOff"), findings)
    if fields is None:
        return None
    condition: Condition | None = None
    if fields.need("condition"):
        inner = fields.entries["condition"]
        condition = read_condition_into(findings, inner, defaults, f"{place}.condition")
    within = fields.required(
        "within", lambda key: fields.duration(key, SHORTEST_EFFECT, LONGEST_EFFECT)
    )
    switch_off = fields.flag("switchOff")
    if condition is None or within is None:
        return None
    return Effect(condition=condition, within=within, switch_off=bool(switch_off))


def write_interlocks(interlocks: Sequence[Condition]) -> list[dict[str, Any]]:
    """Return what `read_interlocks` reads."""
    return [write_condition(condition) for condition in interlocks]


def write_effect(effect: Effect | None) -> Mapping[str, Any] | None:
    """Return what `read_effect` reads; None for none."""
    if effect is None:
        return None
    return {
        "condition": write_condition(effect.condition),
        "within": write_duration(effect.within),
        "switchOff": effect.switch_off,
    }


# ---------------------------------------------------------------- whether they fit


def check_safeguards(safeguards: Safeguards, pin: Pin, known: Known) -> tuple[Finding, ...]:
    """Return what does not fit, and as warnings what is not there yet."""
    findings: list[Finding] = []
    for index, condition in enumerate(safeguards.interlocks):
        place = f"interlocks[{index}]"
        findings += check(condition, known, place).all
        findings += _doubtful(condition, place)
        if pin in watched_actuators(condition):
            findings.append(Finding(place, "an actuator cannot wait for itself"))
    if safeguards.effect is not None:
        findings += check(safeguards.effect.condition, known, "effect.condition").all
        findings += _doubtful(safeguards.effect.condition, "effect.condition")
    return tuple(findings)


def _doubtful(condition: Condition, place: str) -> Iterator[Finding]:
    if doubtful_sensors(condition):
        yield Finding(place, "takes good values only: leave anyQuality to rules")
