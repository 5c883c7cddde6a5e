"""A stop on its way has the event loop nearly alone; readings stand still, though not for ever."""

import asyncio

from domain.right_of_way import RightOfWay
from tests.fakes import until
from tests.unit.test_emergency import ANNA, ESP, House


async def test_where_nobody_has_it_everybody_has_a_turn() -> None:
    said: list[str] = []

    async def work(name: str) -> None:
        for _ in range(2):
            said.append(name)
            await way.give()

    way = RightOfWay()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work("a"))
        tasks.create_task(work("b"))
    assert said == ["a", "b", "a", "b"]


async def test_who_gives_way_stands_still_until_the_last_one_left() -> None:
    way, passed = RightOfWay(), asyncio.Event()

    async def give() -> None:
        await way.give()
        passed.set()

    async with asyncio.TaskGroup() as tasks:
        with way.taken():
            with way.taken():
                tasks.create_task(give())
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            assert not passed.is_set()
        await until(passed.is_set)


async def test_nobody_stands_still_for_ever() -> None:
    way = RightOfWay()
    with way.taken():
        async with asyncio.timeout(5):
            await way.give()


async def test_a_stop_has_it_until_the_broker_has_the_stop() -> None:
    house, seen = House(), list[tuple[str, bool]]()

    async def give(what: str, told: str) -> None:
        await house.service.way.give()
        seen.append((what, bool(house.told(told))))

    async with house.running() as service, asyncio.TaskGroup() as tasks:
        for esp_id, told in ((None, "broadcast"), (ESP, "stop")):
            house.link.told.clear()
            pressing = tasks.create_task(service.stop("fire", esp_id=esp_id, by=ANNA))
            await asyncio.sleep(0)
            await give(told, told)
            await pressing
    assert seen == [("broadcast", True), ("stop", True)]


async def test_without_a_broker_it_is_left_at_once() -> None:
    house = House()
    async with house.running() as service:
        house.link.away = True
        await service.stop("fire", by=ANNA)
        async with asyncio.timeout(0.1):
            await service.way.give()
