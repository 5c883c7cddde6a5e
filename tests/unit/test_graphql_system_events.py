"""What happened, asked for and told live: by severity, by time, resumed without a gap."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.events import SystemEventRecorded
from domain.system_events import Severity, SystemEvent
from resolvers.live import REPLAY_PAGE
from schema.ids import global_id, microseconds
from tests.fakes import START, until
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import make_device, make_system_event

LIVE = """subscription($severity: [Severity!], $since: String) {
    systemEvents(severity: $severity, since: $since) { id message severity }
}"""
ASK = """query(
    $severity: [Severity!], $from: DateTime, $to: DateTime, $first: Int, $after: String
) {
    systemEvents(severity: $severity, from: $from, to: $to, first: $first, after: $after) {
        edges { node { message } } pageInfo { hasNextPage endCursor }
    }
}"""


def event(second: int, severity: Severity = Severity.ERROR, **changes: Any) -> SystemEvent:  # noqa: ANN401 - any field
    """Make an event of a second after noon, called by it, with an id as UUIDv7 begins."""
    at = START + timedelta(seconds=second)
    event_id = UUID(int=(microseconds(at) // 1000 << 80) + 1)
    return make_system_event(
        id=event_id, severity=severity, message=str(second), occurred_at=at, **changes
    )


async def greenhouse(*events: SystemEvent) -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_12AB34", name="Bench"))
    await server.storage.system_events.add(events)
    return server


def messages(answer: dict[str, Any]) -> list[str]:
    return [edge["node"]["message"] for edge in answer["systemEvents"]["edges"]]


async def happens(server: GraphqlServer, happened: SystemEvent) -> None:
    await server.storage.system_events.add([happened])
    await server.events.publish(SystemEventRecorded(happened))


async def test_an_event_shows_everything() -> None:
    server = await greenhouse(event(1, details={"code": 1007, "said": "timeout"}, occurrences=3))

    answer = await server.ask(
        """{ systemEvents { edges { node {
            kind severity message details occurredAt occurrences device { espId name }
        } } } }"""
    )

    assert answer["systemEvents"]["edges"] == [
        {
            "node": {
                "kind": "DEVICE_ERROR",
                "severity": "ERROR",
                "message": "1",
                "details": {"code": 1007, "said": "timeout"},
                "occurredAt": "2026-01-01T12:00:01Z",
                "occurrences": 3,
                "device": {"espId": "ESP_12AB34", "name": "Bench"},
            }
        }
    ]


@pytest.mark.parametrize("esp_id", [None, "ESP_GONE"])
async def test_an_event_may_have_no_device(esp_id: str | None) -> None:
    server = await greenhouse(event(1, esp_id=esp_id))
    answer = await server.ask("{ systemEvents { edges { node { device { espId } } } } }")
    assert answer["systemEvents"]["edges"] == [{"node": {"device": None}}]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["3", "2", "1"]),
        ({"severity": ["INFO", "CRITICAL"]}, ["3", "1"]),
        ({"severity": []}, []),
        ({"from": "2026-01-01T12:00:02Z"}, ["3", "2"]),
        ({"to": "2026-01-01T12:00:02Z"}, ["1"]),
        ({"first": 2}, ["3", "2"]),
    ],
    ids=str,
)
async def test_events_come_newest_first_and_can_be_narrowed(
    wanted: dict[str, object], expected: list[str]
) -> None:
    server = await greenhouse(event(1, Severity.INFO), event(2), event(3, Severity.CRITICAL))
    result = await server.execute(ASK, wanted)
    assert result.errors is None
    assert result.data is not None
    assert messages(result.data) == expected


async def test_pages_follow_each_other() -> None:
    server = await greenhouse(*(event(second) for second in range(1, 4)))
    page = await server.ask(ASK, first=2)
    assert page["systemEvents"]["pageInfo"]["hasNextPage"]
    rest = await server.ask(ASK, after=page["systemEvents"]["pageInfo"]["endCursor"])
    assert messages(rest) == ["1"]


async def test_strangers_are_told_nothing() -> None:
    server = await greenhouse()
    assert await server.code(ASK, role=None) == "UNAUTHENTICATED"


# ---------------------------------------------------------------- live


async def told(
    server: GraphqlServer,
    *live: SystemEvent,
    expected: int,
    **wanted: Any,  # noqa: ANN401 - any variable
) -> list[str]:
    """Return the messages that a subscription tells, while so many events happen."""
    async with server.subscribed(LIVE, **wanted) as heard:
        await heard.listening()
        for happened in live:
            await happens(server, happened)
        results = await heard.count(expected)
    return [result["systemEvents"]["message"] for result in results]


async def test_what_happens_is_told() -> None:
    server = await greenhouse(event(1))
    assert await told(server, event(2), event(3), expected=2) == ["2", "3"]


async def test_only_the_severities_that_are_wanted_are_told() -> None:
    server = await greenhouse(event(1, Severity.INFO), event(2))
    heard = await told(
        server,
        event(3, Severity.INFO),
        event(4, Severity.CRITICAL),
        expected=2,
        severity=["ERROR", "CRITICAL"],
        since="2026-01-01T12:00:00Z",
    )
    assert heard == ["2", "4"]


async def test_since_the_last_event_nothing_is_missed_or_told_twice() -> None:
    server = await greenhouse(*(event(second) for second in range(1, 4)))
    last = global_id("SystemEvent", event(1).id)
    assert await told(server, event(4), expected=3, since=last) == ["2", "3", "4"]


async def test_since_an_instant_begins_with_it() -> None:
    server = await greenhouse(*(event(second) for second in range(1, 4)))
    heard = await told(server, event(4), expected=3, since="2026-01-01T12:00:02Z")
    assert heard == ["2", "3", "4"]


async def test_a_long_past_is_replayed_whole() -> None:
    count = REPLAY_PAGE + 3
    server = await greenhouse(*(event(second) for second in range(count)))
    heard = await told(server, event(count), expected=count + 1, since="1970-01-01T00:00:00Z")
    assert heard == [str(second) for second in range(count + 1)]


async def test_what_is_stored_while_a_stream_begins_is_told_once() -> None:
    server = await greenhouse(event(1))
    heard = await told(
        server, event(1), event(2), event(3), expected=3, since="2026-01-01T12:00:00Z"
    )
    assert heard == ["1", "2", "3"]


@pytest.mark.parametrize(
    "since", ["", "yesterday", global_id("DeadLetter", 1), global_id("SystemEvent", "x")]
)
async def test_a_since_that_makes_no_sense_is_refused(since: str) -> None:
    server = await greenhouse()
    async with server.subscribed(LIVE, since=since) as heard:
        await until(lambda: heard.ended)
    assert code_of(heard.results[0]) == "BAD_INPUT"
