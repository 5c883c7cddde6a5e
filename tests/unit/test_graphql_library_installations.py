"""Libraries for devices through GraphQL: who may decide, what is refused, how far it has come."""

from dataclasses import replace
from typing import Any

import pytest

from domain.library_installations import InstallationStatus, LibrarySource
from domain.users import Role
from schema.ids import global_id
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_device

ESP = "ESP_12AB34"
TEXT = b"LIBRARIES = ()\n" * 100
SHOWN = """{ id libraryName version status chunksSent totalChunks crc32 error completedAt
             device { espId } }"""
INSTALL = f"""mutation($name: String!, $version: String, $espIds: [String!]) {{
    installLibrary(libraryName: $name, version: $version, espIds: $espIds) {SHOWN}
}}"""


async def greenhouse(*, takes: bool = True) -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(ESP))
    server.sources.has("ph", TEXT)
    if takes:
        await server.storage.library_installations.save_receiver(ESP, START)
    return server


async def test_what_was_decided_shows_with_its_progress_until_its_end() -> None:
    server = await greenhouse()
    (decided,) = (await server.ask(INSTALL, name="ph", espIds=[ESP]))["installLibrary"]
    expected = {
        "id": decided["id"],
        "libraryName": "ph",
        "version": "1.0.0",
        "status": "PENDING",
        "chunksSent": 0,
        "totalChunks": 3,
        "crc32": f"{LibrarySource('ph', '1.0.0', TEXT).crc32:08X}",
        "error": None,
        "completedAt": None,
        "device": {"espId": ESP},
    }
    assert decided == expected
    (stored,) = server.storage.library_installations.rows.values()
    await server.storage.library_installations.save(
        replace(
            stored,
            status=InstallationStatus.ABORTED,
            chunks_sent=2,
            error="the device gave up: no flash",
            completed_at=START,
        )
    )
    ended = expected | {
        "status": "ABORTED",
        "chunksSent": 2,
        "error": "the device gave up: no flash",
        "completedAt": "2026-01-01T12:00:00Z",
    }
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on LibraryInstallation {SHOWN} }} }}"
    assert (await server.ask(query, id=decided["id"]))["node"] == ended
    for esp_id, shown in ((None, [ended]), (ESP, [ended]), ("ESP_OTHER", [])):
        query = f"query($esp: String) {{ libraryInstallations(espId: $esp) {SHOWN} }}"
        assert (await server.ask(query, esp=esp_id))["libraryInstallations"] == shown


async def test_all_devices_that_take_libraries_are_meant_where_none_is_named() -> None:
    server = await greenhouse()
    await server.has_device(make_device("ESP_OTHER"))
    answer = await server.ask(INSTALL, name="ph")
    assert [each["device"]["espId"] for each in answer["installLibrary"]] == [ESP]


async def test_firmware_that_cannot_take_libraries_is_named_as_the_reason() -> None:
    server = await greenhouse(takes=False)
    result = await server.execute(INSTALL, {"name": "ph", "espIds": [ESP]})
    assert result.errors
    assert "its firmware cannot" in result.errors[0].message


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"name": "nothing"}, "NOT_FOUND"),
        ({"name": "ph", "version": "0.0.1"}, "NOT_FOUND"),
        ({"name": "ph", "espIds": ["ESP_NOBODY"]}, "NOT_FOUND"),
    ],
)
async def test_what_is_not_there_cannot_be_installed(wish: dict[str, Any], code: str) -> None:
    server = await greenhouse()
    assert await server.code(INSTALL, **wish) == code


async def test_only_an_administrator_decides_and_everybody_may_look() -> None:
    server = await greenhouse()
    assert await server.code(INSTALL, role=Role.OPERATOR, name="ph") == "FORBIDDEN"
    looked = await server.execute("{ libraryInstallations { id } }", role=Role.VIEWER)
    assert (looked.errors, looked.data) == (None, {"libraryInstallations": []})


async def test_an_unknown_installation_is_no_node() -> None:
    server = await greenhouse()
    unknown = global_id("LibraryInstallation", "00000000-0000-0000-0000-000000000000")
    assert (await server.ask("query($id: ID!) { node(id: $id) { id } }", id=unknown)) == {
        "node": None
    }
