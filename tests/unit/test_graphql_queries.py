"""What can be read, by anybody who is logged in."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.actuators import ActuatorState, CommandStatus
from domain.dead_letters import DeadLetter
from domain.devices import DeviceHealth
from domain.users import Role
from schema.ids import global_id
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_command, make_device, make_reading, make_sensor


async def greenhouse() -> GraphqlServer:
    """Two devices; the first with two sensors, two actuators, a report and three readings."""
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A", name="North bed"))
    await server.has_device(make_device("ESP_B", approved=False))
    probe = await server.has_sensor(make_sensor("ESP_A", 4))
    await server.has_sensor(make_sensor("ESP_A", 0, "sht31_temp", "68"))
    await server.has_actuator(make_actuator("ESP_A", 5))
    await server.has_actuator(make_actuator("ESP_A", 12, "pwm"))
    await server.storage.devices.save_health(
        "ESP_A", DeviceHealth(reported_at=START, uptime_seconds=60, wifi_rssi_dbm=-61)
    )
    for number in (1, 2, 3):
        await server.store(make_reading(number, sensor=probe, value=20.0 + number))
    return server


async def test_me_is_the_person_who_is_logged_in() -> None:
    server = GraphqlServer()

    assert await server.ask("{ me { id username role active email } }") == {
        "me": {
            "id": global_id("User", server.user.id),
            "username": "anna",
            "role": "ADMIN",
            "active": True,
            "email": None,
        }
    }


async def test_health_shows_every_part() -> None:
    answer = await GraphqlServer().ask(
        "{ health { status version uptimeSeconds components { name status latencyMs detail } } }"
    )

    assert answer["health"] == {
        "status": "ok",
        "version": "1.2.3",
        "uptimeSeconds": 0,
        "components": [
            {"name": "database", "status": "ok", "latencyMs": 0.0, "detail": "all is well"}
        ],
    }


async def test_a_device_with_everything_that_hangs_on_it() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ device(espId: "ESP_A") {
            espId name status approved lastSeen
            health { reportedAt systemState uptimeSeconds wifiRssiDbm safeMode freeHeapBytes }
            sensors { sensorType gpio address latest { value unit quality } device { espId } }
            actuators { actuatorType gpio mode state { value emergency } device { espId } }
        } }"""
    )

    assert answer["device"] == {
        "espId": "ESP_A",
        "name": "North bed",
        "status": "ONLINE",
        "approved": True,
        "lastSeen": "2026-01-01T12:00:00Z",
        "health": {
            "reportedAt": "2026-01-01T12:00:00Z",
            "systemState": "UNKNOWN",
            "uptimeSeconds": 60,
            "wifiRssiDbm": -61,
            "safeMode": False,
            "freeHeapBytes": None,
        },
        "sensors": [
            {
                "sensorType": "sht31_temp",
                "gpio": 0,
                "address": "68",
                "latest": None,
                "device": {"espId": "ESP_A"},
            },
            {
                "sensorType": "ds18b20",
                "gpio": 4,
                "address": None,
                "latest": {"value": 23.0, "unit": "°C", "quality": "GOOD"},
                "device": {"espId": "ESP_A"},
            },
        ],
        "actuators": [
            {
                "actuatorType": "pump",
                "gpio": 5,
                "mode": "DIGITAL",
                "state": {"value": 0.0, "emergency": "NORMAL"},
                "device": {"espId": "ESP_A"},
            },
            {
                "actuatorType": "pwm",
                "gpio": 12,
                "mode": "PWM",
                "state": {"value": 0.0, "emergency": "NORMAL"},
                "device": {"espId": "ESP_A"},
            },
        ],
    }


async def test_devices_are_searched_and_counted() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ all: devices { totalCount edges { node { espId status health { uptimeSeconds } } } }
             some: devices(search: "north") { totalCount edges { node { espId } } } }"""
    )

    assert answer["all"] == {
        "totalCount": 2,
        "edges": [
            {"node": {"espId": "ESP_A", "status": "ONLINE", "health": {"uptimeSeconds": 60}}},
            {"node": {"espId": "ESP_B", "status": "DISCOVERED", "health": None}},
        ],
    }
    assert answer["some"] == {"totalCount": 1, "edges": [{"node": {"espId": "ESP_A"}}]}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("(status: [ONLINE])", ["ESP_A"]),
        ("(status: OFFLINE)", ["ESP_C"]),
        ("(status: [DISCOVERED, OFFLINE])", ["ESP_B", "ESP_C"]),
        ('(status: [DISCOVERED, OFFLINE], search: "c")', ["ESP_C"]),
        ("(status: [ERROR])", []),
        ("(status: [])", []),
        ("(status: null)", ["ESP_A", "ESP_B", "ESP_C"]),
    ],
)
async def test_devices_are_chosen_by_their_status(arguments: str, found: list[str]) -> None:
    server = await greenhouse()
    await server.has_device(make_device("ESP_C", online=False))

    answer = await server.ask(
        f"{{ devices{arguments} {{ totalCount edges {{ node {{ espId }} }} }} }}"
    )

    assert answer["devices"] == {
        "totalCount": len(found),
        "edges": [{"node": {"espId": esp_id}} for esp_id in found],
    }


async def test_nested_fields_cost_the_same_few_queries_however_many_parents_there_are() -> None:
    query = """{ devices { edges { node {
        health { uptimeSeconds }
        sensors { latest { value } device { espId } }
        actuators { device { name } }
    } } } }"""
    costs = []
    for count in (2, 40):
        server = GraphqlServer()
        for number in range(count):
            await server.has_device(make_device(f"ESP_{number:02}"))
            await server.has_sensor(make_sensor(f"ESP_{number:02}"))
            await server.has_actuator(make_actuator(f"ESP_{number:02}"))
        await server.ask(query)
        costs.append(server.storage.queries)

    assert costs[0] == costs[1] == {"devices": 3, "sensors": 1, "actuators": 1, "readings": 1}


async def test_what_is_counted_is_counted_only_when_asked_for() -> None:
    server = await greenhouse()
    before = server.storage.queries.total()

    await server.ask("{ devices { edges { cursor } } }")

    assert server.storage.queries.total() == before + 1


async def test_a_sensor_is_found_by_any_spelling_of_its_kind() -> None:
    server = await greenhouse()
    query = "query($t: String!) { sensor(espId: %s, gpio: 4, sensorType: $t) { sensorType } }"

    for spelling in ("ds18b20", "DS18B20", "temp_ds18b20"):
        answer = await server.ask(query % '"ESP_A"', t=spelling)
        assert answer["sensor"] == {"sensorType": "ds18b20"}


async def test_sensors_that_share_a_pin_are_told_apart_by_their_address() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ with: sensor(espId: "ESP_A", gpio: 0, sensorType: "sht31_temp", address: "68") { name }
             without: sensor(espId: "ESP_A", gpio: 0, sensorType: "sht31_temp") { name } }"""
    )

    assert answer == {"with": {"name": "SHT31_TEMP on GPIO 0"}, "without": None}


async def test_sensors_are_filtered() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ kind: sensors(sensorType: "DS18B20") { totalCount }
             device: sensors(espId: "ESP_B") { totalCount }
             disabled: sensors(enabled: false) { totalCount } }"""
    )

    assert [answer[name]["totalCount"] for name in ("kind", "device", "disabled")] == [1, 0, 0]


async def test_readings_are_paged_through_newest_first() -> None:
    server = await greenhouse()
    query = """query($after: String) { readings(first: 2, after: $after) {
        edges { node { value } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

    first = (await server.ask(query))["readings"]
    second = (await server.ask(query, after=first["pageInfo"]["endCursor"]))["readings"]

    assert [edge["node"]["value"] for edge in first["edges"] + second["edges"]] == [23, 22, 21]
    assert first["pageInfo"]["hasNextPage"]
    assert not first["pageInfo"]["hasPreviousPage"]
    assert not second["pageInfo"]["hasNextPage"]
    assert second["pageInfo"]["hasPreviousPage"]


async def test_readings_are_bounded_by_sensor_and_time() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ pin: readings(espId: "ESP_A", gpio: 4) { edges { node { value } } }
             other: readings(espId: "ESP_A", gpio: 0) { edges { node { value } } }
             kind: readings(sensorType: "DS18B20", from: "2026-01-01T13:00:02+01:00",
                            to: "2026-01-01T12:00:03Z") { edges { node { value } } } }"""
    )

    values = {name: [e["node"]["value"] for e in answer[name]["edges"]] for name in answer}
    assert values == {"pin": [23, 22, 21], "other": [], "kind": [22]}


async def test_a_reading_says_how_it_came_to_be() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ readings(first: 1) { edges { node {
            timestamp receivedAt rawValue value unit quality processingMode libraryVersion metadata
            sensor { name }
        } } } }"""
    )

    assert answer["readings"]["edges"][0]["node"] == {
        "timestamp": "2026-01-01T12:00:03Z",
        "receivedAt": "2026-01-01T12:00:03.020000Z",
        "rawValue": 368.0,
        "value": 23.0,
        "unit": "°C",
        "quality": "GOOD",
        "processingMode": "PI_ENHANCED",
        "libraryVersion": "1.0.0",
        "metadata": None,
        "sensor": {"name": "DS18B20 on GPIO 4"},
    }


async def test_a_sensor_pages_through_its_own_readings() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """{ sensor(espId: "ESP_A", gpio: 4, sensorType: "ds18b20") {
            readings(first: 1, from: "2026-01-01T12:00:01Z", to: "2026-01-01T12:00:03Z") {
                edges { node { value } } pageInfo { hasNextPage } } } }"""
    )

    assert answer["sensor"]["readings"] == {
        "edges": [{"node": {"value": 22.0}}],
        "pageInfo": {"hasNextPage": True},
    }


async def test_an_actuator_and_its_commands() -> None:
    server = await greenhouse()
    actuator = server.storage.actuators.rows[make_actuator("ESP_A", 5).pin]
    await server.storage.actuators.save_state(
        actuator.id, ActuatorState(value=1.0, is_active=True, reported_at=START)
    )
    for number in (1, 2):
        await server.storage.commands.add(
            make_command(
                actuator,
                id=UUID(int=number),
                created_at=START + timedelta(seconds=number),
                duration=timedelta(minutes=5),
                status=CommandStatus.ACKNOWLEDGED,
                user_id=server.user.id,
            )
        )

    answer = await server.ask(
        """{ actuator(espId: "ESP_A", gpio: 5) {
            state { value isActive reportedAt }
            commands(first: 1) { edges { node { id duration status origin user { username } } } }
        } actuators(actuatorType: "PWM") { totalCount edges { node { gpio } } } }"""
    )

    assert answer["actuator"] == {
        "state": {"value": 1.0, "isActive": True, "reportedAt": "2026-01-01T12:00:00Z"},
        "commands": {
            "edges": [
                {
                    "node": {
                        "id": global_id("Command", UUID(int=2)),
                        "duration": "PT5M",
                        "status": "ACKNOWLEDGED",
                        "origin": "USER",
                        "user": {"username": "anna"},
                    }
                }
            ]
        },
    }
    assert answer["actuators"] == {"totalCount": 1, "edges": [{"node": {"gpio": 12}}]}


async def test_a_command_is_found_by_its_id() -> None:
    server = await greenhouse()
    command = await server.storage.commands.add(make_command(make_actuator("ESP_A", 5)))
    query = "query($id: ID!) { command(id: $id) { action actuator { gpio } } }"

    found = await server.ask(query, id=global_id("Command", command.id))
    unknown = await server.ask(query, id=global_id("Command", UUID(int=99)))

    assert found == {"command": {"action": "ON", "actuator": {"gpio": 5}}}
    assert unknown == {"command": None}


async def test_dead_letters_show_what_could_not_be_read() -> None:
    server = GraphqlServer()
    server.storage.dead_letters.rows.extend(
        DeadLetter(id=n, topic=topic, payload=b"\xff{", reason="not JSON", received_at=START)
        for n, topic in enumerate(("kaiser/god/esp/A/x", "kaiser/god/esp/B/x"), start=1)
    )

    answer = await server.ask(
        """{ all: deadLetters { edges { node { topic } } }
             one: deadLetters(topicContains: "esp/A") {
                edges { node { topic payload reason receivedAt } } }
             later: deadLetters(from: "2026-01-02T00:00:00Z") { edges { cursor } } }"""
    )

    assert [e["node"]["topic"][-3] for e in answer["all"]["edges"]] == ["B", "A"]
    assert answer["one"]["edges"][0]["node"] == {
        "topic": "kaiser/god/esp/A/x",
        "payload": "\\xff{",
        "reason": "not JSON",
        "receivedAt": "2026-01-01T12:00:00Z",
    }
    assert answer["later"]["edges"] == []


@pytest.mark.parametrize(
    "query",
    [
        '{ device(espId: "ESP_Z") { espId } }',
        '{ sensor(espId: "ESP_Z", gpio: 4, sensorType: "ph") { gpio } }',
        '{ actuator(espId: "ESP_A", gpio: 99) { gpio } }',
    ],
)
async def test_what_is_not_known_is_null(query: str) -> None:
    server = await greenhouse()

    (answer,) = (await server.ask(query)).values()

    assert answer is None


async def test_a_viewer_may_read_everything() -> None:
    server = await greenhouse()

    result = await server.execute(
        "{ me { id } health { status } devices { totalCount } deadLetters { edges { cursor } } }",
        role=Role.VIEWER,
    )

    assert result.errors is None
