"""Clients see how long an actuator was on, day by day, and when."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from domain.actuators import ActuatorState, EmergencyPhase
from domain.leases import Moment, Run
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device

ESP = "ESP_12AB34"
HOUR = timedelta(hours=1)
RUNTIME = """query($from: DateTime!, $to: DateTime) { actuator(espId: "ESP_12AB34", gpio: 5) {
    runtime(from: $from, to: $to) { timeZone onFor starts days { day onFor starts } }
} }"""
RUNS = """query($after: String) { actuator(espId: "ESP_12AB34", gpio: 5) {
    runs(first: 1, after: $after) {
        edges { node { startedAt endedAt onFor } } pageInfo { endCursor hasNextPage }
    }
} }"""


async def greenhouse() -> GraphqlServer:
    """Return one whose pump ran from 21 to 2 o'clock of UTC, and runs since half past eleven."""
    server = GraphqlServer()
    await server.has_device(make_device(ESP))
    actuator = make_actuator(ESP)
    await server.has_actuator(actuator)
    known = server.registry.actuator(actuator.pin)
    assert known is not None
    for began, ended in ((-15 * HOUR, -10 * HOUR), (-9 * HOUR, -8 * HOUR)):
        run = Run(actuator_id=known.id, pin=known.pin, began=START + began, ended=START + ended)
        server.storage.leases.runs.append(run)
    server.leases.on(UUID(int=1), known, 1.0, Moment(START - HOUR / 2, -1800.0))
    return server


async def test_days_are_those_of_the_place_and_what_is_on_counts_until_now() -> None:
    server = await greenhouse()
    answer = await server.ask(RUNTIME, **{"from": "2025-12-31T00:00:00Z", "to": None})
    assert answer["actuator"]["runtime"] == {
        "timeZone": "Europe/Berlin",
        "onFor": "PT6H30M",
        "starts": 3,
        "days": [
            {"day": "2025-12-31", "onFor": "PT2H", "starts": 1},
            {"day": "2026-01-01", "onFor": "PT4H30M", "starts": 2},
        ],
    }


async def test_of_a_part_of_a_day_only_that_part_is_told() -> None:
    server = await greenhouse()
    times = {"from": "2025-12-31T22:00:00Z", "to": "2025-12-31T22:30:00Z"}
    answer = await server.ask(RUNTIME, **times)
    assert answer["actuator"]["runtime"]["onFor"] == "PT30M"
    assert answer["actuator"]["runtime"]["starts"] == 0


async def test_what_is_no_time_is_refused() -> None:
    server = await greenhouse()
    result = await server.execute(RUNTIME, {"from": "2026-01-02T00:00:00Z"})
    assert result.errors is not None
    assert "later than from" in result.errors[0].message


CHANGES = """query($after: String, $from: DateTime) { actuator(espId: "ESP_12AB34", gpio: 5) {
    stateChanges(first: 2, after: $after, from: $from) {
        edges { node { at value isActive emergency } } pageInfo { endCursor hasNextPage }
    }
} }"""


async def test_each_change_of_what_a_device_says_is_told_page_by_page_newest_first() -> None:
    server = await greenhouse()
    store, said = server.storage.actuators, ActuatorState
    known = server.registry.actuator(make_actuator(ESP).pin)
    assert known is not None
    stopped = EmergencyPhase.ACTIVE
    for minute, state in enumerate(
        (
            said(value=0.5, is_active=True),
            said(value=0.5, is_active=True),
            said(value=0.75, is_active=True),
            said(),
            said(emergency=stopped),
        )
    ):
        at = START + timedelta(minutes=minute)
        await store.save_state(known.id, replace(state, reported_at=at))
    answer = (await server.ask(CHANGES, after=None))["actuator"]["stateChanges"]
    assert [edge["node"] for edge in answer["edges"]] == [
        {"at": "2026-01-01T12:04:00Z", "value": 0.0, "isActive": False, "emergency": "ACTIVE"},
        {"at": "2026-01-01T12:03:00Z", "value": 0.0, "isActive": False, "emergency": "NORMAL"},
    ]
    cursor = answer["pageInfo"]["endCursor"]
    rest = (await server.ask(CHANGES, after=cursor))["actuator"]["stateChanges"]
    assert [edge["node"]["value"] for edge in rest["edges"]] == [0.75, 0.5]
    assert not rest["pageInfo"]["hasNextPage"]
    late = await server.ask(CHANGES, after=None, **{"from": "2026-01-01T12:04:00Z"})
    assert len(late["actuator"]["stateChanges"]["edges"]) == 1


async def test_runs_are_told_page_by_page_newest_first() -> None:
    server = await greenhouse()
    first = (await server.ask(RUNS, after=None))["actuator"]["runs"]
    second = (await server.ask(RUNS, after=first["pageInfo"]["endCursor"]))["actuator"]["runs"]
    assert [edge["node"] for edge in first["edges"] + second["edges"]] == [
        {
            "startedAt": "2026-01-01T03:00:00Z",
            "endedAt": "2026-01-01T04:00:00Z",
            "onFor": "PT1H",
        },
        {
            "startedAt": "2025-12-31T21:00:00Z",
            "endedAt": "2026-01-01T02:00:00Z",
            "onFor": "PT5H",
        },
    ]
    assert first["pageInfo"]["hasNextPage"]
    assert not second["pageInfo"]["hasNextPage"]
