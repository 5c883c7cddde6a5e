"""A device's health over time, as clients page through it."""

from datetime import timedelta
from typing import Any

from domain.devices import DeviceHealth
from schema.loaders import NESTED_PAGES
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_device

HISTORY = """query($first: Int, $after: String, $from: DateTime, $to: DateTime) {
    device(espId: "ESP_A") {
        healthHistory(first: $first, after: $after, from: $from, to: $to) {
            edges {
                cursor
                node { reportedAt errorCount minFreeHeapBytes heapFragmentationPercent }
            }
            pageInfo { hasNextPage hasPreviousPage endCursor }
        }
    }
}"""


async def reporting(*errors: int) -> GraphqlServer:
    """Return a server whose device reported once a minute, with so many errors each time."""
    server = GraphqlServer()
    for esp_id in ("ESP_A", "ESP_B"):
        await server.has_device(make_device(esp_id))
    for minute, count in enumerate(errors):
        await server.storage.devices.save_health(
            "ESP_A",
            DeviceHealth(
                reported_at=START + timedelta(minutes=minute),
                error_count=count,
                min_free_heap_bytes=90_000,
                heap_fragmentation_percent=4,
            ),
        )
    return server


async def ask(server: GraphqlServer, **variables: object) -> dict[str, Any]:
    answer = await server.ask(HISTORY, **variables)
    history: dict[str, Any] = answer["device"]["healthHistory"]
    return history


def errors(history: dict[str, Any]) -> list[int]:
    return [edge["node"]["errorCount"] for edge in history["edges"]]


async def test_health_is_told_newest_first_with_all_that_diagnostics_say() -> None:
    history = await ask(await reporting(1, 2))
    assert [edge["node"] for edge in history["edges"]] == [
        {
            "reportedAt": f"2026-01-01T12:0{minute}:00Z",
            "errorCount": count,
            "minFreeHeapBytes": 90_000,
            "heapFragmentationPercent": 4,
        }
        for minute, count in ((1, 2), (0, 1))
    ]


async def test_pages_follow_one_another_without_gap_or_overlap() -> None:
    server = await reporting(1, 2, 3, 4, 5)
    first = await ask(server, first=2)
    second = await ask(server, first=2, after=first["pageInfo"]["endCursor"])
    third = await ask(server, first=2, after=second["pageInfo"]["endCursor"])
    assert [errors(page) for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert [p["pageInfo"]["hasNextPage"] for p in (first, second, third)] == [True, True, False]
    assert second["pageInfo"]["hasPreviousPage"]


async def test_from_is_included_and_to_is_not() -> None:
    server = await reporting(1, 2, 3, 4, 5)
    bounds = {"from": "2026-01-01T12:01:00Z", "to": "2026-01-01T12:03:00Z"}
    assert errors(await ask(server, **bounds)) == [3, 2]


async def test_a_device_that_never_reported_has_no_history() -> None:
    assert errors(await ask(await reporting())) == []


async def test_the_histories_of_too_many_devices_are_refused() -> None:
    server = await reporting(1)
    for number in range(NESTED_PAGES):
        await server.has_device(make_device(f"ESP_{number:04}"))
    query = "{ devices(first: 1000) { edges { node { healthHistory { edges { cursor } } } } } }"
    assert await server.code(query) == "BAD_INPUT"
