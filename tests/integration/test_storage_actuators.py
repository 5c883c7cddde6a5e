from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actuators import ActuatorState, EmergencyPhase, Pin, StateChange
from domain.errors import NotFoundError, StorageRejectedError
from domain.pages import Key, PageRequest
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_actuator
from tests.makers import make_actuator
from tests.query_counting import counted_queries

STATE = ActuatorState(
    value=0.25,
    is_active=True,
    emergency=EmergencyPhase.CLEARING,
    runtime_ms=12.5,
    last_command_at=START,
    reported_at=START + timedelta(seconds=1),
)


async def test_an_actuator_comes_back_as_it_was_stored(database: Database) -> None:
    stored = await stored_actuator(database)
    assert stored == make_actuator(id=stored.id)
    async with database.unit_of_work() as work:
        assert await work.actuators.by_pin(stored.pin) == stored
        assert await work.actuators.by_pin(Pin("ESP_12AB34", 6)) is None


async def test_a_known_pin_returns_the_actuator_stored_first(database: Database) -> None:
    first = await stored_actuator(database)
    async with database.unit_of_work() as work:
        assert await work.actuators.add(make_actuator(actuator_type="valve")) == first


async def test_an_actuator_needs_its_device(database: Database) -> None:
    with pytest.raises(NotFoundError, match="ESP_NOBODY"):
        async with database.unit_of_work() as work:
            await work.actuators.add(make_actuator("ESP_NOBODY"))


async def test_configuration_and_reported_state_do_not_overwrite_each_other(
    database: Database,
) -> None:
    actuator = await stored_actuator(database)
    configured = replace(actuator, actuator_type="pwm", name="Lüfter", enabled=False, critical=True)
    async with database.unit_of_work() as work:
        await work.actuators.save_state(actuator.id, STATE)
        await work.actuators.save(configured)
        assert await work.actuators.by_pin(actuator.pin) == replace(configured, state=STATE)


async def test_what_is_new_in_a_state_is_a_change_and_what_is_not_is_none(
    database: Database,
) -> None:
    actuator = await stored_actuator(database)
    other = replace(STATE, value=0.5)
    off = ActuatorState()
    said = [STATE, STATE, other, off, replace(off, emergency=EmergencyPhase.ACTIVE), other]
    states = [
        replace(state, reported_at=START + timedelta(seconds=number))
        for number, state in enumerate(said)
    ]
    async with database.autocommit() as work:
        for state in (off, *states):  # the first is history that the broker had kept
            await work.actuators.save_state(actuator.id, state)
    changes = [
        StateChange(state.reported_at, state.value, state.is_active, state.emergency)
        for state in (states[0], *states[2:])
        if state.reported_at is not None
    ]
    found: list[StateChange] = []
    request = PageRequest(3)
    async with database.autocommit() as work:
        for _ in range(2):
            page = await work.actuators.changes_of(actuator.id, request)
            found += [entry.item for entry in page.entries]
            request = PageRequest(3, page.entries[-1].key)
        assert not page.has_next
        assert found == changes[::-1]
        start, end = changes[1].at, changes[3].at
        page = await work.actuators.changes_of(actuator.id, PageRequest(9), start=start, end=end)
        assert [entry.item for entry in page.entries] == [changes[2], changes[1]]
        assert await work.actuators.trim_changes(changes[4].at, 3) == 3
        assert await work.actuators.trim_changes(changes[4].at, 3) == 1
        await work.actuators.remove(actuator.id)
        assert (await work.actuators.changes_of(actuator.id, PageRequest(9))).entries == ()


async def test_a_state_out_of_range_is_refused(database: Database) -> None:
    actuator = await stored_actuator(database)
    with pytest.raises(StorageRejectedError):
        async with database.unit_of_work() as work:
            await work.actuators.save_state(actuator.id, replace(STATE, value=1.5))


@pytest.mark.parametrize("size", [1, 3, 50])
async def test_pages_walk_all_actuators_by_device_and_pin_once(
    database: Database, size: int
) -> None:
    pins = [("ESP_A", 5), ("ESP_A", 12), ("ESP_B", 2), ("ESP_B", 5)]
    for esp_id, gpio in reversed(pins):
        await stored_actuator(database, gpio, esp_id)
    seen: list[Key] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        while True:
            page = await work.actuators.page(PageRequest(size, after))
            seen += [entry.item.pin for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
        assert await work.actuators.count() == 4
        assert await work.actuators.count(esp_id="ESP_B", actuator_type="pump") == 2
        assert await work.actuators.count(actuator_type="valve") == 0
    assert seen == pins


async def test_many_actuators_cost_one_query(database: Database) -> None:
    stored = [await stored_actuator(database, gpio) for gpio in range(10)]
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        ids = [actuator.id for actuator in stored]
        assert await work.actuators.by_ids([*ids, 999]) == {a.id: a for a in stored}
        assert await work.actuators.of_devices(["ESP_12AB34", "ESP_X"]) == {
            "ESP_12AB34": stored,
            "ESP_X": [],
        }
        assert len(await work.actuators.all()) == 10
    assert len(queries) == 3
