"""Libraries find their way to devices: in order, once, whoever goes away, and never for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest
from uuid_utils.compat import uuid7

from domain.configs import Errand
from domain.errors import BadInputError, NotFoundError
from domain.library_installations import (
    INSTALLATION_LIFETIME,
    KEPT_PER_DEVICE,
    LARGEST_LIBRARY,
    InstallationStatus,
    LibraryInstallation,
)
from domain.library_messages import (
    DownloadStart,
    LibraryChunk,
    LibraryError,
    LibraryMessage,
    LibraryReady,
    LibraryReport,
    LibraryRequest,
)
from domain.services.install_libraries import InstallLibraries
from domain.services.registry import Registry
from mqtt_bridge import payloads, topics
from mqtt_bridge.topics import Topic
from simulator.libraries import Libraries
from tests.fakes import START, FakeClock, FakeStorage, until
from tests.fakes.libraries import FakeLibraryLink, FakeLibrarySources
from tests.makers import make_device, make_guard

ESP = "ESP_12AB34"
OTHER = "ESP_12AB35"
TEXT = bytes(range(256)) * 100


@dataclass(slots=True)
class Told:
    """What growers hear of libraries."""

    ended: list[LibraryInstallation] = field(default_factory=list)
    troubles: list[tuple[str, str, str]] = field(default_factory=list)

    def library_ended(self, installation: LibraryInstallation) -> None:
        self.ended.append(installation)

    def library_trouble(self, esp_id: str, about: str, sentence: str) -> None:
        self.troubles.append((esp_id, about, sentence))


class Greenhouse:
    """A server with devices that take libraries, over fakes; `deaf` devices answer nothing."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage()
        self.registry = Registry()
        self.sources = FakeLibrarySources()
        self.sources.has("ph", TEXT)
        self.told = Told()
        self.link = FakeLibraryLink()
        self.boards: dict[str, Libraries] = {}
        self.deaf: set[str] = set()
        self.heard = 0
        self.service = self.new_service()

    def new_service(self) -> InstallLibraries:
        return InstallLibraries(
            storage=self.storage,
            registry=self.registry,
            link=self.link,
            sources=self.sources,
            clock=self.clock,
            guard=make_guard(self.clock),
            new_id=uuid7,
            reports=self.told,
        )

    async def has(self, esp_id: str = ESP, *, takes: bool = True, **changes: object) -> None:
        device = make_device(esp_id, **changes)
        self.registry.add_device(device)
        await self.storage.devices.add(device)
        self.boards[esp_id] = Libraries()
        if takes:
            await self.storage.library_installations.save_receiver(esp_id, START)

    def say(self, kind: type[LibraryReport], esp_id: str = ESP, **fields: object) -> None:
        origin = {"esp_id": esp_id, "kaiser_id": "god", "received_at": self.clock.now()}
        self.service.heard(kind(**origin, **fields))  # type: ignore[arg-type]  # any field

    def there(self, esp_id: str = ESP, *, online: bool) -> None:
        self.registry.change_device(esp_id, online=online)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the service, and let the boards answer."""
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(self.service.run()), tasks.create_task(self._answer())]
            yield
            for job in jobs:
                job.cancel()

    async def _answer(self) -> None:
        while True:
            await asyncio.sleep(0)
            fresh, self.heard = self.link.told[self.heard :], len(self.link.told)
            for message in fresh:
                if message.esp_id not in self.deaf:
                    self._deliver(message)

    def _deliver(self, message: LibraryMessage) -> None:
        out = payloads.encode(message)
        topic, board = topics.parse(out.topic), self.boards[message.esp_id]
        assert topic is not None
        now = self.clock.now()
        board.hear(topic.kind, out.payload, now.timestamp())
        for said in board.due(now.timestamp()):
            answer = payloads.decode(
                Topic(said.kind, "god", message.esp_id), msgspec.json.encode(said.fields), now
            )
            assert isinstance(answer, LibraryReport)
            self.service.heard(answer)

    def installations(self) -> list[LibraryInstallation]:
        return list(self.storage.library_installations.rows.values())

    def sent(self, kind: type[LibraryMessage]) -> list[LibraryMessage]:
        return [message for message in self.link.told if isinstance(message, kind)]

    async def passes(self, seconds: float) -> None:
        await self.clock.until_asleep()
        await self.clock.advance(seconds)

    async def ends(self, count: int = 1, within: float = 300.0) -> None:
        """Let time pass until so many installations came to their end."""
        for _ in range(int(within / 0.25)):
            if len(self.told.ended) >= count:
                return
            await self.passes(0.25)
            for _ in range(5):
                await asyncio.sleep(0)
        raise AssertionError("it never ended")


async def greenhouse(*devices: str) -> Greenhouse:
    house = Greenhouse()
    for esp_id in devices or (ESP,):
        await house.has(esp_id)
    return house


# ---------------------------------------------------------------- what can be decided


async def test_a_device_that_never_said_so_is_refused_with_the_reason() -> None:
    house = Greenhouse()
    await house.has(takes=False)
    with pytest.raises(BadInputError, match="never said that it takes libraries"):
        await house.service.install("ph", esp_ids=[ESP])
    with pytest.raises(BadInputError, match="no device has said"):
        await house.service.install("ph")
    assert house.installations() == []


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"library_name": "nothing"}, NotFoundError),
        ({"library_name": "ph", "version": "9.0.0"}, NotFoundError),
        ({"library_name": "ph", "esp_ids": ["ESP_NOBODY"]}, NotFoundError),
        ({"library_name": "huge"}, BadInputError),
        ({"library_name": "empty"}, BadInputError),
    ],
)
async def test_what_cannot_be_sent_is_refused(wish: dict[str, object], error: type) -> None:
    house = await greenhouse()
    house.sources.has("huge", bytes(LARGEST_LIBRARY + 1))
    house.sources.has("empty", b"")
    with pytest.raises(error):
        await house.service.install(**wish)  # type: ignore[arg-type]  # as a client writes it
    assert house.installations() == []


async def test_a_device_that_is_not_let_in_gets_nothing() -> None:
    house = Greenhouse()
    await house.has(approved=False)
    with pytest.raises(BadInputError, match="approve it first"):
        await house.service.install("ph", esp_ids=[ESP])
    async with house.running():
        house.say(LibraryRequest, library_name="ph", request_id="r")
        await house.passes(1)
    assert house.installations() == []


async def test_one_device_that_cannot_keeps_the_others_from_it() -> None:
    house = await greenhouse()
    await house.has(OTHER, takes=False)
    with pytest.raises(BadInputError, match=OTHER):
        await house.service.install("ph", esp_ids=[ESP, OTHER])
    assert (house.installations(), house.storage.outbox.rows) == ([], {})


async def test_what_is_on_its_way_already_is_not_sent_twice() -> None:
    house = await greenhouse()
    first = await house.service.install("ph", esp_ids=[ESP, ESP])
    again = await house.service.install("ph")
    assert list(first) == list(again)
    assert len(house.installations()) == 1


# ---------------------------------------------------------------- how it arrives


async def test_a_library_arrives_as_it_is_and_growers_are_told() -> None:
    house = await greenhouse(ESP, OTHER)
    async with house.running():
        await house.service.install("ph")
        await house.ends(2)
    for esp_id in (ESP, OTHER):
        assert house.boards[esp_id].installed == {"ph": ("1.0.0", TEXT)}
    assert {each.status for each in house.installations()} == {InstallationStatus.INSTALLED}
    assert all(each.chunks_sent == each.total_chunks == 50 for each in house.installations())
    assert house.storage.outbox.rows == {}
    assert house.storage.library_installations.saved < 2 * 12, "not a statement per chunk"


async def test_a_device_takes_one_library_after_the_other_in_order() -> None:
    house = await greenhouse()
    house.sources.has("ec", TEXT[::-1])
    async with house.running():
        await house.service.install("ph")
        await house.service.install("ec")
        await house.ends(2)
    assert [message.library_name for message in house.sent(DownloadStart)] == ["ph", "ec"]
    names = [message.library_name for message in house.link.told]
    assert names == sorted(names, reverse=True), "the second began when the first had ended"


async def test_a_device_that_is_away_is_waited_for_until_it_is_back() -> None:
    house = await greenhouse()
    house.there(online=False)
    async with house.running():
        await house.service.install("ph")
        await house.passes(5)
        assert house.link.told == []
        house.there(online=True)
        await house.ends()
    assert house.told.ended[0].status is InstallationStatus.INSTALLED


async def test_a_device_that_stays_away_lets_the_installation_expire() -> None:
    house = await greenhouse()
    house.there(online=False)
    async with house.running():
        await house.service.install("ph")
        house.clock.start += INSTALLATION_LIFETIME + timedelta(seconds=61)
        await house.passes(1)
    (ended,) = house.told.ended
    assert (ended.status, ended.error) == (
        InstallationStatus.EXPIRED,
        "the device did not take it within 7 days",
    )
    assert (house.installations(), house.storage.outbox.rows) == ([ended], {})


async def test_a_device_that_goes_away_in_the_middle_goes_on_where_it_was() -> None:
    house = await greenhouse()
    async with house.running():
        await house.service.install("ph")
        await until(lambda: house.boards[ESP].received >= 20, turns=20_000)
        house.there(online=False)
        await house.passes(60)
        assert house.boards[ESP].received < 50
        house.there(online=True)
        await house.ends()
    assert house.boards[ESP].installed == {"ph": ("1.0.0", TEXT)}
    assert len(house.sent(DownloadStart)) == 1


async def test_a_device_that_restarted_is_sent_everything_again() -> None:
    house = await greenhouse()
    async with house.running():
        await house.service.install("ph")
        await until(lambda: house.boards[ESP].received >= 20, turns=20_000)
        house.boards[ESP].restart()
        house.say(LibraryReady)
        await house.ends()
    assert house.boards[ESP].installed == {"ph": ("1.0.0", TEXT)}
    assert len(house.sent(DownloadStart)) == 2


async def test_after_a_restart_of_the_server_a_transfer_goes_on() -> None:
    house = await greenhouse()
    async with house.running():
        await house.service.install("ph")
        await until(lambda: house.boards[ESP].received >= 40, turns=20_000)
    house.service = house.new_service()
    async with house.running():
        await house.ends()
    assert house.boards[ESP].installed == {"ph": ("1.0.0", TEXT)}
    assert len(house.sent(DownloadStart)) == 1
    assert len(house.sent(LibraryChunk)) <= 50 + 17


async def test_a_library_that_changed_meanwhile_is_not_mixed_with_its_old_text() -> None:
    house = await greenhouse()
    house.there(online=False)
    async with house.running():
        await house.service.install("ph")
        house.sources.has("ph", TEXT + b"changed")
        house.there(online=True)
        await house.ends()
    assert house.told.ended[0].status is InstallationStatus.FAILED
    assert "changed" in (house.told.ended[0].error or "")
    assert house.link.told == []


async def test_a_device_that_never_answers_is_given_up_with_the_reason() -> None:
    house = await greenhouse()
    house.deaf.add(ESP)
    async with house.running():
        await house.service.install("ph")
        await house.ends()
    assert house.told.ended[0].status is InstallationStatus.FAILED
    assert "room" in (house.told.ended[0].error or "")


async def test_while_the_broker_is_away_nothing_is_lost_and_no_try_is_spent() -> None:
    house = await greenhouse()
    house.link.away = True
    async with house.running():
        await house.service.install("ph")
        await house.passes(200)
        house.link.away = False
        await house.ends()
    assert house.told.ended[0].status is InstallationStatus.INSTALLED


async def test_while_the_database_is_away_nothing_is_lost() -> None:
    house = await greenhouse()
    async with house.running():
        await house.service.install("ph")
        await until(lambda: house.boards[ESP].received >= 10, turns=20_000)
        house.storage.available = False
        await house.passes(20)
        house.storage.available = True
        await house.ends()
    assert house.told.ended[0].status is InstallationStatus.INSTALLED


async def test_a_device_that_is_removed_in_the_middle_ends_its_transfer_quietly() -> None:
    house = await greenhouse(ESP, OTHER)
    async with house.running():
        await house.service.install("ph", esp_ids=[ESP])
        await until(lambda: house.boards[ESP].received >= 10, turns=20_000)
        house.registry.remove_device(ESP)
        house.storage.outbox.rows.clear()
        await house.passes(61)
        await house.service.install("ph", esp_ids=[OTHER])
        await house.ends()
    assert [each.esp_id for each in house.told.ended] == [OTHER]


# ---------------------------------------------------------------- what devices want


async def test_what_a_device_asks_for_it_gets_under_the_name_it_asked_with() -> None:
    house = Greenhouse()
    await house.has(takes=False)
    async with house.running():
        house.say(LibraryRequest, library_name="ph", request_id="req_1", reason="not_installed")
        await house.ends()
    (start,) = house.sent(DownloadStart)
    assert isinstance(start, DownloadStart)
    assert start.request_id == "req_1"
    assert house.told.ended[0].status is InstallationStatus.INSTALLED


async def test_a_device_that_asks_again_and_again_is_served_once_a_minute() -> None:
    house = await greenhouse()
    async with house.running():
        for number in range(10):
            house.say(LibraryRequest, library_name="ph", request_id=f"r{number}")
        await house.ends()
        house.say(LibraryRequest, library_name="ph", request_id="r10")
        await house.passes(10)
        assert len(house.installations()) == 1
        await house.passes(60)
        house.say(LibraryRequest, library_name="ph", request_id="r11")
        await house.ends(2)


async def test_a_request_for_what_there_is_not_is_reported() -> None:
    house = await greenhouse()
    async with house.running():
        house.say(LibraryRequest, library_name="dallas_temp", request_id="r")
        house.say(LibraryError, error_type="storage", message="flash is worn out")
        await house.passes(1)
    assert sorted(house.told.troubles) == [
        (ESP, "dallas_temp", "it asks for the library dallas_temp, which the server cannot send"),
        (ESP, "storage", "it reports storage: flash is worn out"),
    ]


async def test_who_says_that_it_takes_libraries_before_it_is_known_is_remembered() -> None:
    house = Greenhouse()
    async with house.running():
        house.say(LibraryReady)
        await house.passes(1)
        assert await house.storage.library_installations.receivers() == []
        await house.has(takes=False)
        await house.passes(1)
        assert await house.storage.library_installations.receivers() == [ESP]
        await house.service.install("ph")
        await house.ends()


async def test_a_flood_of_announcements_is_bounded_and_counted() -> None:
    house = await greenhouse()
    for number in range(3000):
        house.say(LibraryReady, f"ESP_{number:06}")
    assert house.service.dropped == 2000


async def test_of_what_ended_only_the_newest_is_kept() -> None:
    house = await greenhouse()
    old = make_ended(KEPT_PER_DEVICE + 5)
    await house.storage.library_installations.add(old)
    async with house.running():
        await house.service.install("ph")
        await house.ends()
    assert len(house.installations()) == KEPT_PER_DEVICE
    assert old[0] not in house.installations()


def make_ended(count: int) -> list[LibraryInstallation]:
    ended = LibraryInstallation(
        id=uuid7(),
        esp_id=ESP,
        library_name="old",
        version="1.0.0",
        size=1,
        chunk_size=1,
        crc32=0,
        status=InstallationStatus.INSTALLED,
        started_at=START,
        completed_at=START,
    )
    return [replace(ended, id=uuid7()) for _ in range(count)]


async def test_configurations_and_libraries_do_not_get_in_each_others_way() -> None:
    house = await greenhouse()
    await house.service.install("ph")
    assert await house.storage.outbox.waiting({Errand.CONFIG}) == []
    assert await house.storage.outbox.waiting({Errand.LIBRARY}) == [ESP]
