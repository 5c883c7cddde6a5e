"""Zones and configurations through GraphQL: what is decided shows; what cannot be is refused."""

import pytest

from domain.configs import ConfigSync, ConfigSyncState
from domain.users import Role
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device, make_sensor

ESP = "ESP_12AB34"
UPDATE = """mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) {
    name subzoneId isZoneMaster metadata zone { zoneId name } configSync { state configId }
} }"""


async def greenhouse() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(ESP))
    await server.has_sensor(make_sensor(ESP))
    await server.has_actuator(make_actuator(ESP))
    return server


async def test_a_zone_comes_into_being_with_its_first_device() -> None:
    server = await greenhouse()
    wish = {
        "espId": ESP,
        "name": "Bench",
        "zoneId": "north",
        "subzoneId": "bench_1",
        "isZoneMaster": True,
        "metadata": {"row": 3},
    }
    told = (await server.ask(UPDATE, input=wish))["updateDevice"]
    assert told["zone"] == {"zoneId": "north", "name": "north"}
    assert (told["subzoneId"], told["isZoneMaster"], told["metadata"]) == (
        "bench_1",
        True,
        {"row": 3},
    )
    assert told["configSync"]["state"] == "PENDING"
    assert server.changed == [ESP]
    answer = await server.ask(
        """{ zones { zoneId parent { name } devices { totalCount edges { node { espId } } } }
             devices(zoneId: "north") { totalCount } elsewhere: devices(zoneId: "x") { totalCount }
        }"""
    )
    assert answer["zones"] == [
        {
            "zoneId": "north",
            "parent": None,
            "devices": {"totalCount": 1, "edges": [{"node": {"espId": ESP}}]},
        }
    ]
    assert (answer["devices"]["totalCount"], answer["elsewhere"]["totalCount"]) == (1, 0)


async def test_devices_are_found_by_the_level_they_are_heard_on() -> None:
    server = await greenhouse()
    await server.has_device(make_device("ESP_OLD001", kaiser_id=""))
    answer = await server.ask(
        """{ own: devices(kaiserId: "god") { totalCount edges { node { espId } } }
             never: devices(kaiserId: "") { totalCount edges { node { espId } } } }"""
    )
    assert answer["own"] == {"totalCount": 1, "edges": [{"node": {"espId": ESP}}]}
    assert answer["never"] == {"totalCount": 1, "edges": [{"node": {"espId": "ESP_OLD001"}}]}


async def test_leaving_a_zone_leaves_its_subzone() -> None:
    server = await greenhouse()
    await server.ask(UPDATE, input={"espId": ESP, "zoneId": "north", "subzoneId": "s"})
    told = await server.ask(UPDATE, input={"espId": ESP, "zoneId": ""})
    assert (told["updateDevice"]["zone"], told["updateDevice"]["subzoneId"]) == (None, None)


async def test_a_name_alone_is_nothing_that_a_device_must_be_told() -> None:
    server = await greenhouse()
    told = await server.ask(UPDATE, input={"espId": ESP, "name": "Bench"})
    assert told["updateDevice"]["configSync"] == {"state": "NEVER_SENT", "configId": None}
    assert server.changed == []


@pytest.mark.parametrize(
    "wish",
    [
        {"zoneId": 'no"rth'},
        {"zoneId": "null"},
        {"zoneId": "x" * 33},
        {"subzoneId": "alone"},
        {"metadata": [1]},
        {"name": ""},
    ],
)
async def test_what_no_device_could_take_is_refused(wish: dict[str, object]) -> None:
    server = await greenhouse()
    assert await server.code(UPDATE, input={"espId": ESP, **wish}) == "BAD_INPUT"
    assert server.changed == []


async def test_a_refused_item_shows_its_reason() -> None:
    server = await greenhouse()
    server.storage.config_syncs.rows[ESP] = ConfigSync(
        state=ConfigSyncState.REJECTED, error="x: y", items={"sensor on GPIO 4": "GPIO_CONFLICT"}
    )
    query = """query($esp: String!) { device(espId: $esp) {
        configSync { state error attempts sentAt confirmedAt refused { item reason } } } }"""
    sync = (await server.ask(query, esp=ESP))["device"]["configSync"]
    assert sync["refused"] == [{"item": "sensor on GPIO 4", "reason": "GPIO_CONFLICT"}]


async def test_a_zone_can_be_named_and_made_a_part_of_another_but_not_of_itself() -> None:
    server = await greenhouse()
    set_zone = "mutation($input: ZoneInput!) { setZone(input: $input) { name parent { name } } }"
    await server.ask(set_zone, input={"zoneId": "plant", "name": "Plant"})
    told = await server.ask(set_zone, input={"zoneId": "north", "parentZoneId": "plant"})
    assert told["setZone"] == {"name": "north", "parent": {"name": "Plant"}}
    loop = {"zoneId": "plant", "parentZoneId": "north"}
    assert await server.code(set_zone, input=loop) == "BAD_INPUT"
    unknown = {"zoneId": "plant", "parentZoneId": "nowhere"}
    assert await server.code(set_zone, input=unknown) == "NOT_FOUND"


async def test_a_sensor_is_set_up_and_removed() -> None:
    server = await greenhouse()
    told = await server.ask(
        """mutation { setSensor(input: {espId: "ESP_12AB34", gpio: 34, sensorType: "pH_sensor",
            name: "Tank", interval: "PT30S", processingMode: LOCAL, enabled: false}) {
            sensorType name interval processingMode enabled } }"""
    )
    assert told["setSensor"] == {
        "sensorType": "ph",
        "name": "Tank",
        "interval": "PT30S",
        "processingMode": "LOCAL",
        "enabled": False,
    }
    remove = """mutation { removeSensor(
        input: {espId: "ESP_12AB34", gpio: 34, sensorType: "ph"}) }"""
    assert await server.ask(remove) == {"removeSensor": True}
    assert await server.ask(remove) == {"removeSensor": False}
    assert server.changed == [ESP, ESP]


@pytest.mark.parametrize("setting", ['interval: "PT0.5S"', 'interval: "PT6M"', "gpio: 255"])
async def test_a_sensor_that_cannot_be_is_refused(setting: str) -> None:
    server = await greenhouse()
    gpio = "" if "gpio" in setting else "gpio: 34,"
    code = await server.code(
        f"""mutation {{ setSensor(input: {{espId: "{ESP}", {gpio} sensorType: "ph", {setting}}})
            {{ name }} }}"""
    )
    assert code == "BAD_INPUT"


async def test_an_actuator_and_a_device_are_removed() -> None:
    server = await greenhouse()
    actuator = f'mutation {{ removeActuator(input: {{espId: "{ESP}", gpio: 5}}) }}'
    device = f'mutation {{ removeDevice(espId: "{ESP}") }}'
    assert await server.ask(actuator) == {"removeActuator": True}
    assert await server.ask(actuator) == {"removeActuator": False}
    assert await server.ask(device) == {"removeDevice": True}
    assert await server.ask(device) == {"removeDevice": False}
    assert server.registry.device(ESP) is None


async def test_a_device_is_approved_into_a_zone() -> None:
    server = GraphqlServer()
    await server.has_device(make_device(ESP, approved=False))
    told = await server.ask(
        f'mutation {{ approveDevice(espId: "{ESP}", zoneId: "north") {{ zone {{ name }} }} }}'
    )
    assert told["approveDevice"]["zone"] == {"name": "north"}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_administrators_decide(role: Role) -> None:
    server = await greenhouse()
    for wish in (
        'updateDevice(input: {espId: "ESP_12AB34", zoneId: "x"}) { name }',
        'removeDevice(espId: "ESP_12AB34")',
        'setZone(input: {zoneId: "x"}) { name }',
        'setSensor(input: {espId: "ESP_12AB34", gpio: 4, sensorType: "ph"}) { name }',
        'removeSensor(input: {espId: "ESP_12AB34", gpio: 4, sensorType: "ph"})',
        'removeActuator(input: {espId: "ESP_12AB34", gpio: 5})',
    ):
        assert await server.code(f"mutation {{ {wish} }}", role=role) == "FORBIDDEN"
    assert server.changed == []
