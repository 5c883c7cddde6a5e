"""Installations of libraries in PostgreSQL: kept, found, trimmed, and gone with their device."""

from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from domain.configs import CONFIG_ERRANDS, Errand, OutboxEntry
from domain.errors import NotFoundError
from domain.library_installations import InstallationStatus, LibraryInstallation
from storage.connection import Database
from tests.integration.storing import at, stored_device

ESP = "ESP_12AB34"
OTHER = "ESP_12AB35"


def make(esp_id: str = ESP, **changes: object) -> LibraryInstallation:
    installation = LibraryInstallation(
        id=uuid7(),
        esp_id=esp_id,
        library_name="ph",
        version="1.0.0",
        request_id="req_1",
        size=524_288,
        chunk_size=1024,
        crc32=2**32 - 1,
        started_at=at(0),
    )
    return replace(installation, **changes)  # type: ignore[arg-type]  # any field


async def test_an_installation_comes_back_as_far_as_it_has_come(database: Database) -> None:
    await stored_device(database, ESP)
    begun = make()
    async with database.unit_of_work() as work:
        await work.library_installations.add([begun])
        assert await work.library_installations.by_id(begun.id) == begun
        ended = replace(
            begun,
            status=InstallationStatus.FAILED,
            chunks_sent=7,
            error="the device reports storage",
            completed_at=at(9),
        )
        await work.library_installations.save(ended)
        assert await work.library_installations.by_id(begun.id) == ended
        assert await work.library_installations.by_id(uuid7()) is None
        odd = replace(ended, error="a\x00b\ud800")
        await work.library_installations.save(odd)
        with pytest.raises(NotFoundError):
            await work.library_installations.add([make("ESP_NOBODY")])


async def test_installations_are_found_by_device_library_and_whether_they_go_on(
    database: Database,
) -> None:
    await stored_device(database, ESP)
    await stored_device(database, OTHER)
    first, second = make(), make(library_name="ec", status=InstallationStatus.INSTALLED)
    third = make(OTHER)
    async with database.unit_of_work() as work:
        known = work.library_installations
        await known.add([first, second, third])
        assert await known.newest(10) == [third, second, first]
        assert await known.newest(2) == [third, second]
        assert await known.newest(10, esp_ids=[ESP]) == [second, first]
        assert await known.newest(10, esp_ids=[ESP], library_name="ph") == [first]
        assert await known.open([ESP, OTHER]) == [first, third]
        assert await known.open([]) == []


async def test_of_what_ended_the_newest_stay_and_what_goes_on_always_does(
    database: Database,
) -> None:
    await stored_device(database, ESP)
    await stored_device(database, OTHER)
    ended = [make(status=status) for status in InstallationStatus if status.over]
    going_on, elsewhere = make(), make(OTHER, status=InstallationStatus.FAILED)
    async with database.unit_of_work() as work:
        await work.library_installations.add([*ended, going_on, elsewhere])
        await work.library_installations.trim(ESP, 2)
        kept = [elsewhere, going_on, *reversed(ended[-2:])]
        assert await work.library_installations.newest(10) == kept


async def test_who_takes_libraries_is_known_once_and_only_of_known_devices(
    database: Database,
) -> None:
    await stored_device(database, OTHER)
    await stored_device(database, ESP)
    async with database.unit_of_work() as work:
        for esp_id in (OTHER, ESP, ESP, "ESP_NOBODY"):
            await work.library_installations.save_receiver(esp_id, at(1))
        assert await work.library_installations.receivers() == [ESP, OTHER]


async def test_a_removed_device_takes_its_installations_along(database: Database) -> None:
    await stored_device(database, ESP)
    async with database.unit_of_work() as work:
        await work.library_installations.add([make()])
        await work.library_installations.save_receiver(ESP, at(1))
        await work.devices.remove(ESP)
        assert await work.library_installations.newest(10) == []
        assert await work.library_installations.receivers() == []


async def test_libraries_wait_apart_from_configurations(database: Database) -> None:
    await stored_device(database, ESP)
    entry = OutboxEntry(
        esp_id=ESP, errand=Errand.LIBRARY, created_at=at(0), expires_at=at(1), body={"id": "x"}
    )
    async with database.unit_of_work() as work:
        await work.outbox.add([entry, replace(entry, errand=Errand.CONFIG)])
        for errands in (CONFIG_ERRANDS, {Errand.LIBRARY}):
            assert await work.outbox.waiting(errands) == [ESP]
            (waiting,) = await work.outbox.of_device(ESP, errands)
            await work.outbox.remove([waiting.id])
            assert await work.outbox.waiting(errands) == []
