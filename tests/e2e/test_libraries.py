"""A grower sends a library to a device, and the server dies in the middle of it."""

from typing import Any

from gql import GraphQLRequest

from app.embedded.broker import EmbeddedBroker
from sensor_libs.loader import BUILT_IN
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD
from simulator.libraries import Libraries
from tests.e2e.devices import living
from tests.e2e.server import Api, ServerProcess
from tests.eventually import eventually

TAKES, REFUSES = "ESP_11B001", "ESP_11B002"
INSTALL = "mutation($espIds: [String!]) { installLibrary(libraryName: %s, espIds: $espIds) "
SHOWN = "{ status chunksSent totalChunks error device { espId } }"


async def ask(server: Api, token: str, document: str, **variables: object) -> dict[str, Any]:
    async with server.http_client(token) as http:
        told: dict[str, Any] = await http.execute(
            GraphQLRequest(document, variable_values=variables)
        )
    return told


async def test_a_library_arrives_although_the_server_dies_and_growers_are_told(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    board = Libraries()
    devices = [
        VirtualDevice(esp_id=TAKES, dialect=HEAD, kaiser_id="god", libraries=board),
        VirtualDevice(esp_id=REFUSES, dialect=HEAD, kaiser_id="god"),
    ]
    token = await server.login()
    install = INSTALL % '"ph"' + SHOWN + " }"

    async def decided() -> bool:
        # Refused until the device has said that it takes libraries.
        body = {"query": install, "variables": {"espIds": [TAKES]}}
        return "errors" not in await server.post(body, token)

    async def installed() -> bool:
        told = await ask(server, token, f"{{ libraryInstallations {SHOWN} }}")
        return [each["status"] for each in told["libraryInstallations"]] == ["INSTALLED"]

    async with living(broker.url, devices):
        await eventually(decided, within=30, what="the device takes libraries")
        await server.kill()
        await server.start()
        await eventually(installed, within=60, what="the library is installed")
        refusal = await server.post(
            {"query": install, "variables": {"espIds": [REFUSES]}}, await server.login()
        )
    assert refusal["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert "its firmware cannot" in refusal["errors"][0]["message"]
    ((_, content),) = board.installed.values()
    assert content == (BUILT_IN / "ph.py").read_bytes()
    events = await ask(server, token, "{ systemEvents { edges { node { kind message } } } }")
    kinds = {edge["node"]["kind"] for edge in events["systemEvents"]["edges"]}
    assert "LIBRARY_INSTALLED" in kinds
