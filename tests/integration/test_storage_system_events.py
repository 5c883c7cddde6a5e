from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain.errors import BadInputError
from domain.pages import Key, PageRequest
from domain.system_events import Severity, SystemEvent
from storage.connection import Database
from tests.integration.storing import NOON, at
from tests.makers import make_system_event


def event(second: int, severity: Severity = Severity.ERROR, **fields: Any) -> SystemEvent:  # noqa: ANN401 - any field
    return make_system_event(second, severity=severity, occurred_at=at(second), **fields)


async def add(database: Database, *events: SystemEvent) -> None:
    async with database.autocommit() as work:
        await work.system_events.add(events)


async def seconds(
    database: Database,
    *,
    severities: Collection[Severity] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[int]:
    async with database.autocommit() as work:
        page = await work.system_events.page(
            PageRequest(1000), severities=severities, start=start, end=end
        )
    return [entry.item.id.int for entry in page.entries]


async def test_an_event_comes_back_as_it_was(database: Database) -> None:
    event_in = event(
        1,
        esp_id="ESP_12AB34",
        details={"code": 1007, "name": "I2C_TIMEOUT", "share": 0.5, "ok": True, "zone": None},
        occurrences=3,
    )
    await add(database, event_in, event(2, esp_id=None))
    async with database.autocommit() as work:
        assert await work.system_events.by_id(event_in.id) == event_in
        assert await work.system_events.by_id(UUID(int=9)) is None


async def test_adding_again_changes_nothing(database: Database) -> None:
    await add(database, event(1, message="once"))
    await add(database, event(1, message="twice"), event(2))
    async with database.autocommit() as work:
        found = await work.system_events.by_id(UUID(int=1))
    assert found is not None
    assert found.message == "once"
    assert await seconds(database) == [2, 1]


async def test_whatever_a_device_said_can_be_kept(database: Database) -> None:
    await add(
        database,
        event(1, message="a\x00b", details={"said\x00": "half \ud800", "value": float("nan")}),
    )
    async with database.autocommit() as work:
        found = await work.system_events.by_id(UUID(int=1))
    assert found is not None
    assert found.message == "a\\x00b"
    assert found.details == {"said\\x00": "half \\ud800", "value": "nan"}


async def test_occurrences_are_counted_up(database: Database) -> None:
    await add(database, event(1))
    async with database.autocommit() as work:
        await work.system_events.save_occurrences(UUID(int=1), 12)
        found = await work.system_events.by_id(UUID(int=1))
    assert found is not None
    assert found.occurrences == 12


async def test_pages_walk_events_backward_once(database: Database) -> None:
    await add(database, *(event(second) for second in range(1, 6)))
    seen: list[int] = []
    after: Key | None = None
    async with database.autocommit() as work:
        while True:
            page = await work.system_events.page(PageRequest(2, after))
            seen += [entry.item.id.int for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("key", [("not an id",), (5,), ("a", "b")])
async def test_cursors_of_other_lists_are_refused(database: Database, key: Key) -> None:
    async with database.autocommit() as work:
        with pytest.raises(BadInputError, match="another list"):
            await work.system_events.page(PageRequest(2, key))


async def test_events_are_found_by_severity_and_time(database: Database) -> None:
    await add(database, event(1, Severity.INFO), event(2), event(3, Severity.CRITICAL))
    assert await seconds(database, severities=[Severity.INFO, Severity.CRITICAL]) == [3, 1]
    assert await seconds(database, severities=[]) == []
    assert await seconds(database, start=at(2)) == [3, 2]
    assert await seconds(database, start=at(1), end=at(3)) == [2, 1]


async def test_what_was_stored_after_an_event_comes_in_order(database: Database) -> None:
    await add(database, *(event(second) for second in (3, 1, 2)), event(4, Severity.INFO))
    async with database.autocommit() as work:
        found = await work.system_events.since(UUID(int=1), 10)
        assert [one.id.int for one in found] == [2, 3, 4]
        assert [one.id.int for one in await work.system_events.since(UUID(int=0), 2)] == [1, 2]
        serious = await work.system_events.since(UUID(int=0), 9, severities=[Severity.INFO])
        assert [one.id.int for one in serious] == [4]


async def test_trimming_keeps_the_newest_and_forgets_the_old(database: Database) -> None:
    await add(database, *(event(second) for second in range(1, 8)))
    async with database.autocommit() as work:
        assert await work.system_events.trim(5, NOON) == 2
        assert await work.system_events.trim(5, at(6)) == 3
        assert await work.system_events.trim(5, at(6)) == 0
    assert await seconds(database) == [7, 6]
