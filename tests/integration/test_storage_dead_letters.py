from datetime import timedelta

import pytest

from domain.dead_letters import PAYLOAD_LIMIT, TOPIC_LIMIT, DeadLetter
from domain.pages import Key, PageRequest
from storage.connection import Database
from tests.integration.storing import NOON, at


def letter(second: float = 0, topic: str = "kaiser/god/esp/x", **fields: object) -> DeadLetter:
    given = {"topic": topic, "payload": b"{", "reason": "no JSON", "received_at": at(second)}
    return DeadLetter(**{**given, **fields})  # type: ignore[arg-type]  # any field


async def write(database: Database, *letters: DeadLetter) -> None:
    await database.reading_writer().write([], letters)


async def stored(database: Database) -> list[DeadLetter]:
    async with database.unit_of_work() as work:
        return [entry.item for entry in (await work.dead_letters.page(PageRequest(1000))).entries]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"payload": bytes(range(256))}, {"payload": bytes(range(256))}),
        ({"payload": b"\x00" * (PAYLOAD_LIMIT + 1)}, {"payload": b"\x00" * PAYLOAD_LIMIT}),
        ({"topic": "a\x00b"}, {"topic": "a\\x00b"}),
        ({"topic": "ä" * 600}, {"topic": "ä" * TOPIC_LIMIT}),
        ({"topic": "\x00" * TOPIC_LIMIT}, {"topic": "\\x00" * (TOPIC_LIMIT // 4)}),
        ({"reason": "at \ud800 \x00"}, {"reason": "at \\ud800 \\x00"}),
    ],
    ids=["bytes", "long payload", "zero", "long topic", "zeros", "surrogate"],
)
async def test_whatever_came_in_can_be_kept(
    database: Database, given: dict[str, object], kept: dict[str, object]
) -> None:
    await write(database, letter(**given))  # type: ignore[arg-type]  # any field
    (found,) = await stored(database)
    assert {name: getattr(found, name) for name in kept} == kept


async def test_pages_walk_dead_letters_backward_once(database: Database) -> None:
    await write(database, *(letter(second) for second in range(5)))
    seen: list[DeadLetter] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        while True:
            page = await work.dead_letters.page(PageRequest(2, after))
            seen += [entry.item for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert [found.received_at for found in seen] == [at(second) for second in (4, 3, 2, 1, 0)]


async def test_a_dead_letter_is_found_by_its_id(database: Database) -> None:
    await write(database, letter(0), letter(1))
    newest, oldest = await stored(database)
    async with database.unit_of_work() as work:
        assert await work.dead_letters.by_id(oldest.id) == oldest
        assert await work.dead_letters.by_id(newest.id) == newest
        assert await work.dead_letters.by_id(newest.id + 1) is None


async def test_dead_letters_are_found_by_topic_and_time(database: Database) -> None:
    await write(database, letter(0, "a/100%/x"), letter(1, "a/100_/x"), letter(2, "b"))
    async with database.unit_of_work() as work:
        for topic, start, found in [
            ("0%/", None, [0]),
            ("0_/", None, [1]),
            (None, at(1), [2, 1]),
            ("a", NOON + timedelta(seconds=1), [1]),
        ]:
            page = await work.dead_letters.page(PageRequest(), topic_contains=topic, start=start)
            assert [entry.item.received_at for entry in page.entries] == [at(s) for s in found]


async def test_trimming_keeps_the_newest(database: Database) -> None:
    await write(database, *(letter(second) for second in range(5)))
    async with database.unit_of_work() as work:
        assert await work.dead_letters.trim(2) == 3
        assert await work.dead_letters.trim(2) == 0
    assert [found.received_at for found in await stored(database)] == [at(4), at(3)]
