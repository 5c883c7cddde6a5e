"""Nothing is on while an interlock does not hold, whatever happens in whatever order."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.actuators import CommandAction
from domain.devices import DeviceStatus
from domain.rules.conditions import ActuatorIs, AllOf, AnyOf, DeviceIs, Not, Stale
from domain.rules.world import MAX_AGE
from domain.safeguards import LOST_AFTER, OnServerLoss, Safeguards
from domain.safety import refusal
from domain.sensors import Quality
from domain.system_events import EventKind
from tests.makers import make_device, make_sensor
from tests.safeguarding import (
    ESP,
    FLOW,
    FULL_ENOUGH,
    MINUTE,
    PUMP,
    VALVE,
    VALVE_OPEN,
    Plant,
    a_copy_that_is_loaded_again,
)
from tests.unit.test_safety import off, wish

GUARDED = Safeguards(interlocks=(FULL_ENOUGH, VALVE_OPEN))
TANK_ONLY = Safeguards(interlocks=(FULL_ENOUGH,))


# ---------------------------------------------------------------- asked before


async def test_a_pump_runs_with_water_in_its_tank_and_its_valve_open() -> None:
    plant = Plant(GUARDED)
    plant.hear(80.0)
    plant.open_valve()
    assert plant.ask() is None


def test_it_is_refused_with_an_empty_tank_and_the_reason_says_how_empty() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(3.0)
    assert plant.ask() == (
        "an interlock does not hold: level of ESP_12AB34 is 3 %, and must be above 10 %"
    )


def test_a_sensor_that_never_spoke_means_no() -> None:
    assert plant_says(Plant(TANK_ONLY)) == "level of ESP_12AB34 has not said anything yet"


def test_a_bad_value_means_no_though_a_good_one_came_before() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(80.0)
    plant.hear(80.0, quality=Quality.SUSPECT)
    assert plant_says(plant) == (
        "no good value of level of ESP_12AB34: at 2026-01-01T12:00:00Z its quality was SUSPECT"
    )


async def test_a_stale_value_means_no() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(80.0)
    await plant.clock.advance(MAX_AGE.total_seconds() - 1)
    assert plant.ask() is None
    await plant.clock.advance(1)
    assert plant_says(plant) == (
        "no fresh value of level of ESP_12AB34 since 2026-01-01T12:00:00Z: its value is too old"
    )


def test_a_valve_is_open_only_once_its_device_confirms_it() -> None:
    plant = Plant(Safeguards(interlocks=(VALVE_OPEN,)))
    assert plant_says(plant) == "GPIO 6 of ESP_FA17E5 is off, and must be on"
    lease = plant.command(VALVE, confirmed=False)
    assert plant_says(plant) == "GPIO 6 of ESP_FA17E5 may be on or off, and must be on"
    plant.leases.confirmed(VALVE, lease)
    assert plant.ask() is None
    plant.leases.asked_off(VALVE)
    assert plant.ask() is not None


def test_a_valve_whose_lease_is_renewed_stays_open() -> None:
    plant = Plant(Safeguards(interlocks=(VALVE_OPEN,)))
    plant.open_valve()
    plant.command(VALVE, confirmed=False)
    assert plant.ask() is None


def test_what_hangs_on_a_device_that_is_away_is_not_known() -> None:
    plant = Plant(Safeguards(interlocks=(VALVE_OPEN,)))
    plant.open_valve()
    plant.lose(VALVE.esp_id)
    assert plant.ask() is not None


def test_of_two_that_must_never_be_on_together_the_second_is_refused_at_once() -> None:
    plant = Plant(Safeguards(interlocks=(Not(VALVE_OPEN),)))
    plant.declare(Safeguards(interlocks=(Not(ActuatorIs(pin=PUMP, on=True)),)), VALVE)
    assert plant.ask() is None
    plant.command(PUMP, confirmed=False)
    assert plant.ask(VALVE) == (
        "an interlock does not hold: GPIO 5 of ESP_12AB34 may be on or off, and must not be on"
    )


def test_off_passes_whatever_does_not_hold() -> None:
    interlocks = Plant(TANK_ONLY).interlocks.of(PUMP)
    assert refusal(off(interlocks=interlocks)) is None
    assert refusal(wish(CommandAction.PWM, 0.0, interlocks=interlocks)) is not None


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (
            AnyOf((FULL_ENOUGH, VALVE_OPEN)),
            (
                "level of ESP_12AB34 is 3 %, and must be above 10 %, and "
                "GPIO 6 of ESP_FA17E5 is off, and must be on"
            ),
        ),
        (
            AllOf((Not(FULL_ENOUGH), VALVE_OPEN)),
            "GPIO 6 of ESP_FA17E5 is off, and must be on",
        ),
        (Not(Not(FULL_ENOUGH)), "level of ESP_12AB34 is 3 %, and must be above 10 %"),
        (
            DeviceIs(esp_id=ESP, status=DeviceStatus.OFFLINE),
            "ESP_12AB34 is ONLINE, and must be OFFLINE",
        ),
        (
            Not(Stale(sensor=FLOW.key, older_than=MINUTE)),
            "flow of ESP_12AB34 has not said anything yet",
        ),
        (
            replace(FULL_ENOUGH, unit=None, hold_for=MINUTE),
            "level of ESP_12AB34 is 3 %, and must be above 10 for 60 s",
        ),
    ],
)
def test_the_reason_names_only_what_stands_in_the_way(condition: object, why: str) -> None:
    plant = Plant(Safeguards(interlocks=(condition,)))  # type: ignore[arg-type]  # any condition
    plant.hear(3.0)
    assert plant_says(plant) == why


def plant_says(plant: Plant) -> str:
    reason = plant.ask()
    assert reason is not None
    return reason.removeprefix("an interlock does not hold: ")


# ---------------------------------------------------------------- watched meanwhile


async def test_a_pump_is_switched_off_with_the_reading_that_says_the_tank_is_empty() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(80.0)
    async with plant.watched():
        plant.command()
        plant.hear(9.0)
        assert plant.why == [
            "an interlock does not hold: level of ESP_12AB34 is 9 %, and must be above 10 %"
        ]
        plant.hear(8.0)
        await plant.clock.advance(1.0)
    assert len(plant.off) == 1


async def test_a_pump_is_switched_off_when_its_valve_closes() -> None:
    plant = Plant(GUARDED)
    plant.hear(80.0)
    plant.open_valve()
    async with plant.watched():
        plant.command()
        await plant.clock.advance(1.0)
        assert plant.off == []
        plant.report(VALVE, on=False)
        await plant.clock.advance(0.25)
    assert [kind for _, _, kind, _ in plant.off] == [EventKind.INTERLOCK_BROKEN]


async def test_a_pump_is_switched_off_when_its_sensor_falls_silent() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(80.0)
    async with plant.watched():
        plant.command()
        await plant.clock.advance(MAX_AGE.total_seconds() - 1)
        assert plant.off == []
        await plant.clock.advance(1.25)
    assert "no fresh value" in plant.why[0]


@pytest.mark.parametrize("of_its_device", [False, True])
async def test_a_pump_is_switched_off_when_its_sensor_is_removed(*, of_its_device: bool) -> None:
    probe = make_sensor("ESP_BEEF01", 34, "level", id=3)
    plant = Plant(Safeguards(interlocks=(replace(FULL_ENOUGH, sensor=probe.key),)))
    plant.registry.add_device(make_device("ESP_BEEF01"))
    plant.registry.put_sensors([probe])
    plant.hear(80.0, probe)
    async with plant.watched():
        plant.command()
        await plant.clock.advance(1.0)
        assert plant.off == []
        if of_its_device:
            plant.registry.remove_device("ESP_BEEF01")
        else:
            plant.registry.remove_sensor(probe.key)
        await plant.clock.advance(0.25)
    assert len(plant.off) == 1
    assert "has not said anything yet" in (plant.ask() or "")


async def test_an_interlock_that_is_declared_while_it_runs_counts_at_once() -> None:
    plant = Plant(Safeguards())
    plant.hear(3.0)
    async with plant.watched():
        plant.command()
        await plant.clock.advance(1.0)
        assert plant.off == []
        plant.declare(TANK_ONLY)
        await plant.clock.advance(0.25)
    assert len(plant.off) == 1


async def test_what_its_device_switched_on_by_itself_is_watched_too() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(3.0)
    async with plant.watched():
        plant.report(PUMP, on=True)
        await plant.clock.advance(0.25)
    assert len(plant.off) == 1


async def test_a_condition_over_time_sees_every_reading_though_many_come_at_once() -> None:
    plant = Plant(Safeguards(interlocks=(replace(FULL_ENOUGH, hold_for=MINUTE),)))
    plant.interlocks.of(PUMP)
    plant.hear(80.0)
    await plant.clock.advance(50.0)
    plant.hear(3.0, ago=20.0)
    plant.hear(80.0)
    await plant.clock.advance(20.0)
    assert plant.ask() is not None
    await plant.clock.advance(40.0)
    assert plant.ask() is None


async def test_after_a_restart_the_stored_readings_count() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(80.0)
    plant.command()
    later = a_copy_that_is_loaded_again(plant, TANK_ONLY)
    await later.world.load()
    async with later.watched():
        await later.clock.advance(1.0)
    assert later.off == []


# ---------------------------------------------------------------- the server is lost


@pytest.mark.parametrize("choice", list(OnServerLoss))
async def test_only_what_is_to_go_off_without_the_server_is_switched_off_when_it_is_back(
    choice: OnServerLoss,
) -> None:
    safeguards = Safeguards(on_server_loss=choice)
    plant = Plant(safeguards)
    plant.command()
    await plant.clock.advance(LOST_AFTER.total_seconds() + 1)
    later = a_copy_that_is_loaded_again(plant, safeguards)
    async with later.watched():
        pass
    kinds = [kind for _, _, kind, _ in later.off]
    assert kinds == ([EventKind.SERVER_WAS_LOST] if choice is OnServerLoss.OFF else [])


async def test_what_is_to_go_off_without_the_server_goes_off_with_a_lost_device() -> None:
    plant = Plant(Safeguards(on_server_loss=OnServerLoss.OFF))
    async with plant.watched():
        plant.command()
        plant.lose(ESP)
        await plant.clock.advance(LOST_AFTER.total_seconds())
        assert plant.off == []
        await plant.clock.advance(0.5)
    assert "its device is lost since 2026-01-01T12:00:00Z" in plant.why[0]


# ---------------------------------------------------------------- any order


class AnyOrder(RuleBasedStateMachine):
    """What a pump may do is worked out here a second time, from what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.plant = Plant(GUARDED)
        self.level: tuple[float, bool] | None = None
        self.ages = 0.0
        self.valve_open = False

    def allowed(self) -> bool:
        if self.level is None or not self.valve_open:
            return False
        value, good = self.level
        return good and value > 10.0 and self.ages < MAX_AGE.total_seconds()

    @rule(value=st.sampled_from([0.0, 10.0, 10.1, 80.0]), good=st.booleans())
    def a_reading(self, value: float, good: bool) -> None:  # noqa: FBT001 - drawn
        self.plant.hear(value, quality=Quality.GOOD if good else Quality.ERROR)
        self.level, self.ages = (value, good), 0.0

    @rule(seconds=st.sampled_from([0.25, 60.0, 600.0]))
    def time_passes(self, seconds: float) -> None:
        self.plant.clock._elapsed += seconds
        self.ages += seconds

    @rule()
    def the_valve_is_told_to_open(self) -> None:
        if not self.valve_open:
            self.plant.command(VALVE, confirmed=False)

    @rule()
    def the_valve_opens(self) -> None:
        self.plant.report(VALVE, on=True)
        self.valve_open = self.plant.leases.is_surely_on(VALVE, self.plant.now())

    @rule()
    def the_valve_closes(self) -> None:
        self.plant.report(VALVE, on=False)
        if self.plant.leases.get(VALVE) is None:
            self.valve_open = False

    @rule()
    def the_valve_is_told_to_close(self) -> None:
        self.plant.leases.asked_off(VALVE)
        self.valve_open = False

    @rule()
    def the_valves_lease_ends(self) -> None:
        self.plant.leases.end(VALVE, self.plant.now())
        self.valve_open = False

    @rule()
    def somebody_asks_for_the_pump(self) -> None:
        if self.plant.ask() is None:
            assert self.allowed()
            self.plant.command()
        else:
            valve_lease = self.plant.leases.get(VALVE)
            over = valve_lease is not None and self.plant.clock.now() >= valve_lease.until
            assert not self.allowed() or over

    @rule()
    def the_pump_confirms_that_it_is_off(self) -> None:
        self.plant.report(PUMP, on=False)

    @rule()
    def the_server_looks(self) -> None:
        self.plant.interlocks._look()

    @invariant()
    def nothing_is_on_that_must_not_be_once_the_server_looked(self) -> None:
        self.plant.interlocks._look()
        lease = self.plant.leases.get(PUMP)
        if lease is not None and self.plant.clock.now() < lease.until:
            assert self.allowed()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
