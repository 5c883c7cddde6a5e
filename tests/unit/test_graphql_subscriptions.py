"""What is told live: everything that is meant, once, and to nobody who has left."""

import asyncio

import pytest

from domain.actuators import ActuatorState, CommandStatus
from domain.devices import DeviceHealth
from domain.events import ActuatorChanged, CommandChanged, DeviceHeard, ReadingsStored
from resolvers.live import REPLAY_PAGE
from tests.fakes import START, FakeClock, until
from tests.graphql_server import GraphqlServer, code_of, publish
from tests.makers import make_actuator, make_command, make_device, make_reading, make_sensor

READINGS = """subscription($filter: EventFilter, $since: String, $throttle: Duration) {
    readings(filter: $filter, since: $since, throttle: $throttle) {
        cursor reading { value sensor { device { espId } } }
    }
}"""


async def greenhouse() -> GraphqlServer:
    """Devices A (in the zone north) and B with a probe each, and P that is not approved."""
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A", zone_id="north"))
    await server.has_device(make_device("ESP_B"))
    await server.has_device(make_device("ESP_P", approved=False))
    return server


PROBE_A = make_sensor("ESP_A", 4, id=1)
PROBE_B = make_sensor("ESP_B", 5, "ph", id=2)
PROBE_P = make_sensor("ESP_P", 4, id=3)


def told(results: list[dict[str, dict[str, dict[str, float]]]]) -> list[float]:
    return [result["readings"]["reading"]["value"] for result in results]


# ---------------------------------------------------------------- readings, live


async def test_readings_are_told_as_they_are_stored() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS) as heard:
        await heard.listening()
        await server.store(
            make_reading(1, sensor=PROBE_A, value=1), make_reading(2, sensor=PROBE_B, value=2)
        )
        await server.store(make_reading(3, sensor=PROBE_A, value=3))
        results = await heard.count(3)

    assert told(results) == [1, 2, 3]
    assert results[1]["readings"]["reading"]["sensor"]["device"] == {"espId": "ESP_B"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"espIds": ["ESP_B"]}, [2]),
        ({"zoneIds": ["north"]}, [1]),
        ({"sensorTypes": ["PH_SENSOR"]}, [2]),
        ({"gpios": [4]}, [1]),
        ({"gpios": [4, 5], "espIds": ["ESP_B"]}, [2]),
        ({"espIds": []}, []),
        ({}, [1, 2]),
        (None, [1, 2]),
    ],
    ids=str,
)
async def test_a_filter_lets_through_what_matches_all_of_it(
    wanted: dict[str, list[object]] | None, expected: list[float]
) -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, filter=wanted) as heard:
        await heard.listening()
        await server.store(
            make_reading(1, sensor=PROBE_A, value=1), make_reading(2, sensor=PROBE_B, value=2)
        )
        assert told(await heard.count(len(expected))) == expected


async def test_readings_of_a_device_that_is_not_approved_are_not_told() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, since="2026-01-01T00:00:00Z") as heard:
        await heard.listening()
        await server.store(make_reading(1, sensor=PROBE_P))
        await server.store(make_reading(2, sensor=PROBE_A, value=2))
        assert told(await heard.count(1)) == [2]


async def test_every_event_sees_the_world_as_it_is_then() -> None:
    server = await greenhouse()
    await server.has_sensor(PROBE_A)
    query = "subscription { readings { reading { sensor { latest { value } } } } }"

    async with server.subscribed(query) as heard:
        await heard.listening()
        await server.store(make_reading(1, sensor=PROBE_A, value=1))
        await heard.count(1)
        await server.store(make_reading(2, sensor=PROBE_A, value=2))
        results = await heard.count(2)

    newest = [r["readings"]["reading"]["sensor"]["latest"]["value"] for r in results]
    assert newest == [1, 2]


async def test_whoever_leaves_is_forgotten() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS) as heard:
        await heard.listening()
    assert server.events.listeners == 0

    async with server.subscribed(READINGS, throttle="PT1S") as heard:
        await heard.listening()
    assert server.events.listeners == 0


async def test_a_listener_is_told_when_the_stream_is_lost() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS) as heard:
        await heard.listening()
        server.events.lose()
        await until(lambda: heard.ended)

    assert code_of(heard.results[-1]) == "EVENT_STREAM_LOST"
    assert server.events.listeners == 0


# ---------------------------------------------------------------- readings, since


async def test_since_a_cursor_replays_what_came_after_it_and_goes_on_live() -> None:
    server = await greenhouse()
    async with server.subscribed(READINGS) as heard:
        await heard.listening()
        await server.store(*(make_reading(n, sensor=PROBE_A, value=n) for n in (1, 2)))
        cursor = (await heard.count(2))[0]["readings"]["cursor"]
    await server.store(make_reading(3, sensor=PROBE_A, value=3))

    async with server.subscribed(READINGS, since=cursor) as heard:
        await heard.listening()
        await server.store(make_reading(4, sensor=PROBE_A, value=4))
        assert told(await heard.count(3)) == [2, 3, 4]


async def test_since_an_instant_replays_what_was_received_then_or_later() -> None:
    server = await greenhouse()
    await server.store(*(make_reading(n, sensor=PROBE_A, value=n) for n in (1, 2, 3)))

    async with server.subscribed(READINGS, since="2026-01-01T13:00:02+01:00") as heard:
        await heard.listening()
        assert told(await heard.count(2)) == [2, 3]


async def test_a_long_replay_has_no_gap_and_no_repeat_while_more_is_stored() -> None:
    server = await greenhouse()
    stored = 2 * REPLAY_PAGE + 100
    await server.store(*(make_reading(n, sensor=PROBE_A, value=n) for n in range(1, stored + 1)))

    async with server.subscribed(READINGS, since="2026-01-01T00:00:00Z") as heard:
        for number in range(stored + 1, stored + 201):
            await asyncio.sleep(0)
            await server.store(make_reading(number, sensor=PROBE_A, value=number))
        await heard.listening()
        await server.store(make_reading(stored + 201, sensor=PROBE_A, value=stored + 201))
        results = await heard.count(stored + 201)

    assert told(results) == list(range(1, stored + 202))


async def test_what_came_both_stored_and_live_is_told_once() -> None:
    server = await greenhouse()
    reading = make_reading(1, sensor=PROBE_A, value=1)
    await server.store(reading)

    async with server.subscribed(READINGS, since="2026-01-01T00:00:00Z") as heard:
        await heard.listening()
        await server.store(make_reading(2, sensor=PROBE_A, value=2))
        await server.events.publish(ReadingsStored((reading,)))
        assert told(await heard.count(2)) == [1, 2]


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01", "2026-01-01T12:00:00", "", "Zm9v"])
async def test_since_must_be_a_cursor_or_an_instant(since: str) -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, since=since) as heard:
        await until(lambda: heard.ended)

    assert code_of(heard.results[0]) == "BAD_INPUT"


# ---------------------------------------------------------------- readings, thinned out


async def test_throttled_the_first_comes_at_once_and_then_the_latest_of_each_period() -> None:
    server = await greenhouse()
    clock = server.clock
    assert isinstance(clock, FakeClock)

    async with server.subscribed(READINGS, throttle="PT10S") as heard:
        await heard.listening()
        await server.store(make_reading(1, sensor=PROBE_A, value=1))
        await heard.count(1)
        await server.store(make_reading(2, sensor=PROBE_A, value=2))
        await server.store(make_reading(3, sensor=PROBE_A, value=3))
        await heard.count(1)
        await clock.until_asleep()
        await clock.advance(9.9)
        await heard.count(1)
        await clock.advance(0.1)
        assert told(await heard.count(2)) == [1, 3]
        await clock.advance(60)
        await server.store(make_reading(4, sensor=PROBE_A, value=4))
        assert told(await heard.count(3)) == [1, 3, 4]


async def test_throttling_one_sensor_does_not_hold_up_another() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, throttle="PT10S") as heard:
        await heard.listening()
        await server.store(make_reading(1, sensor=PROBE_A, value=1))
        await heard.count(1)
        await server.store(make_reading(2, sensor=PROBE_A, value=2))
        await server.store(make_reading(3, sensor=PROBE_B, value=3))
        assert told(await heard.count(2)) == [1, 3]


async def test_throttled_listeners_are_told_of_a_lost_stream_too() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, throttle="PT10S") as heard:
        await heard.listening()
        server.events.lose()
        await until(lambda: heard.ended)

    assert code_of(heard.results[-1]) == "EVENT_STREAM_LOST"


async def test_no_throttle_at_all_is_a_throttle_of_nothing() -> None:
    server = await greenhouse()

    async with server.subscribed(READINGS, throttle="PT0S") as heard:
        await heard.listening()
        await server.store(*(make_reading(n, sensor=PROBE_A, value=n) for n in (1, 2)))
        assert told(await heard.count(2)) == [1, 2]


# ---------------------------------------------------------------- the others


async def test_actuator_states_are_told_with_their_actuator() -> None:
    server = await greenhouse()
    query = """subscription { actuatorStates(filter: { espIds: ["ESP_A"] }) {
        cursor actuator { gpio device { espId } } state { value isActive reportedAt } } }"""
    state = ActuatorState(value=0.4, is_active=True, reported_at=START)

    async with server.subscribed(query) as heard:
        await heard.listening()
        await publish(
            server,
            ActuatorChanged(make_actuator("ESP_B", 5)),
            ActuatorChanged(make_actuator("ESP_A", 5, state=state)),
        )
        (result,) = await heard.count(1)

    assert result["actuatorStates"].pop("cursor")
    assert result["actuatorStates"] == {
        "actuator": {"gpio": 5, "device": {"espId": "ESP_A"}},
        "state": {"value": 0.4, "isActive": True, "reportedAt": "2026-01-01T12:00:00Z"},
    }


async def test_every_step_of_a_command_is_told() -> None:
    server = await greenhouse()
    pump = await server.has_actuator(make_actuator("ESP_A", 5))
    query = """subscription { commands(filter: { gpios: [5] }) {
        cursor command { status actuator { gpio } } } }"""
    elsewhere = make_command(make_actuator("ESP_A", 6))

    async with server.subscribed(query) as heard:
        await heard.listening()
        await publish(
            server,
            CommandChanged(make_command(pump)),
            CommandChanged(elsewhere),
            CommandChanged(make_command(pump, status=CommandStatus.TIMED_OUT)),
        )
        results = await heard.count(2)

    statuses = [result["commands"]["command"]["status"] for result in results]
    assert statuses == ["PENDING", "TIMED_OUT"]


async def test_signs_of_life_are_told_with_or_without_a_report() -> None:
    server = await greenhouse()
    query = """subscription { deviceHealth(filter: { zoneIds: ["north"] }) {
        device { espId status } health { freeHeapBytes } } }"""
    device = make_device("ESP_A", zone_id="north")

    async with server.subscribed(query) as heard:
        await heard.listening()
        await publish(
            server,
            DeviceHeard(device, DeviceHealth(reported_at=START, free_heap_bytes=100_000)),
            DeviceHeard(make_device("ESP_B")),
            DeviceHeard(make_device("ESP_A", zone_id="north", online=False)),
        )
        results = await heard.count(2)

    assert [result["deviceHealth"] for result in results] == [
        {"device": {"espId": "ESP_A", "status": "ONLINE"}, "health": {"freeHeapBytes": 100_000}},
        {"device": {"espId": "ESP_A", "status": "OFFLINE"}, "health": None},
    ]


@pytest.mark.parametrize(
    "query",
    [
        'subscription { commands(filter: { sensorTypes: ["ph"] }) { cursor } }',
        'subscription { actuatorStates(filter: { sensorTypes: ["ph"] }) { cursor } }',
        'subscription { deviceHealth(filter: { sensorTypes: ["ph"] }) { cursor } }',
        "subscription { deviceHealth(filter: { gpios: [4] }) { cursor } }",
    ],
)
async def test_a_filter_that_cannot_narrow_is_refused_and_not_ignored(query: str) -> None:
    server = await greenhouse()

    async with server.subscribed(query) as heard:
        await until(lambda: heard.ended)

    assert code_of(heard.results[0]) == "BAD_INPUT"
