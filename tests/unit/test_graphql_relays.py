"""Relays through GraphQL: where devices sit, and what is known of what they sit behind."""

from domain.relays import Relay, RelayHealth
from schema.ids import global_id
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_device

NAME = "kaiser_001"
RENAME = """mutation($id: String!, $name: String) {
    setKaiserName(kaiserId: $id, name: $name) { name status }
}"""


async def greenhouse() -> GraphqlServer:
    server = GraphqlServer()
    for esp_id, level in (
        ("ESP_000001", NAME),
        ("ESP_000002", NAME),
        ("ESP_000003", "god"),
        ("ESP_000004", ""),
        ("ESP_000005", "kaiser_unheard"),
    ):
        await server.has_device(make_device(esp_id, kaiser_id=level))
    await server.services.watch_relays.heard(
        NAME, START, RelayHealth(state="OPERATIONAL", cpu_temperature=52.5, clients=("ESP_000001",))
    )
    return server


async def test_a_relay_shows_its_devices_and_what_it_says_of_itself() -> None:
    server = await greenhouse()
    answer = await server.ask(
        """{ kaiserNodes {
            id kaiserId name status lastSeen health
            devices(first: 1) { totalCount edges { node { espId } } pageInfo { hasNextPage } }
        } }"""
    )
    (relay,) = answer["kaiserNodes"]
    health = relay.pop("health")
    assert relay == {
        "id": global_id("KaiserNode", NAME),
        "kaiserId": NAME,
        "name": None,
        "status": "ONLINE",
        "lastSeen": "2026-01-01T12:00:00Z",
        "devices": {
            "totalCount": 2,
            "edges": [{"node": {"espId": "ESP_000001"}}],
            "pageInfo": {"hasNextPage": True},
        },
    }
    assert (health["state"], health["cpuTemperature"]) == ("OPERATIONAL", 52.5)
    assert (health["clients"], health["wifiRssiDbm"]) == (["ESP_000001"], None)


async def test_a_device_names_the_relay_that_it_sits_behind() -> None:
    server = await greenhouse()
    answer = await server.ask("{ devices { edges { node { kaiser { kaiserId } } } } }")
    behind = [edge["node"]["kaiser"] for edge in answer["devices"]["edges"]]
    assert behind == [{"kaiserId": NAME}] * 2 + [None] * 3


async def test_devices_of_the_server_itself_ask_for_no_relay() -> None:
    server = await greenhouse()
    server.storage.queries.clear()
    await server.ask('{ device(espId: "ESP_000003") { kaiser { name } } }')
    assert server.storage.queries["relays"] == 0


async def test_a_relay_is_found_again_by_its_id() -> None:
    server = await greenhouse()
    query = "query($id: ID!) { node(id: $id) { ... on KaiserNode { kaiserId } } }"
    for name, found in ((NAME, {"kaiserId": NAME}), ("kaiser_unheard", None)):
        answer = await server.ask(query, id=global_id("KaiserNode", name))
        assert answer["node"] == found


async def test_a_relay_that_was_heard_can_be_given_a_name() -> None:
    server = await greenhouse()
    for name, kept in (("The barn", "The barn"), (None, None)):
        answer = await server.ask(RENAME, id=NAME, name=name)
        assert answer["setKaiserName"] == {"name": kept, "status": "ONLINE"}
        relay: Relay = server.storage.relays.rows[NAME]
        assert relay.name == kept
    assert await server.code(RENAME, id="kaiser_unheard", name="x") == "NOT_FOUND"
    assert await server.code(RENAME, id=NAME, name=" ") == "BAD_INPUT"
