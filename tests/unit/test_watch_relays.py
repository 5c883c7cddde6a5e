"""Relays: known once they are heard, missed when they fall silent, remembered over restarts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.devices import OFFLINE_AFTER, DeviceStatus
from domain.errors import BadInputError, NotFoundError, StorageUnavailableError
from domain.presence import SEEN_EVERY
from domain.relays import Relay, Relayed, RelayHealth
from domain.services.watch_relays import MOST_RELAYS, WatchRelays
from domain.system_events import EventKind, Severity
from tests.fakes import START
from tests.fakes.shelf import FakeJournal
from tests.unit.test_report_events import Desk

NAME = "kaiser_001"
TWO = RelayHealth(state="OPERATIONAL", clients=("ESP_1", "ESP_2"))
LATE = START + OFFLINE_AFTER + timedelta(seconds=1)


class Lookout(Desk):
    """Who watches relays, over fakes."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = FakeJournal()
        self.relays = self.started()

    def started(self) -> WatchRelays:
        return WatchRelays(
            storage=self.storage, record=self.record, clock=self.clock, journal=self.journal
        )

    @property
    def known(self) -> Relay:
        return self.storage.relays.rows[NAME]


async def test_a_relay_exists_once_it_was_heard() -> None:
    out = Lookout()
    await out.relays.heard(NAME, START, TWO)
    assert out.known == Relay(
        kaiser_id=NAME, online=True, last_seen=START, health=TWO, created_at=START
    )
    assert out.known.status is DeviceStatus.ONLINE


async def test_a_relay_is_told_when_it_comes_and_when_it_goes() -> None:
    out = Lookout()
    await out.relays.heard(NAME, START, TWO)
    await out.relays.heard(NAME, START, TWO)
    await out.relays.sweep(START + OFFLINE_AFTER)
    for second in (0, 1):
        await out.relays.sweep(LATE + timedelta(seconds=second))
    there, gone = await out.all(2)
    assert there.message == "The relay kaiser_001 is online, with 2 devices behind it."
    assert (gone.kind, gone.severity) == (EventKind.RELAY_OFFLINE, Severity.ERROR)
    assert gone.message.startswith("The relay kaiser_001 is gone: silent for 180 s. The 2 devices")
    assert (out.known.online, out.known.last_seen) == (False, START)


async def test_a_relay_that_comes_back_is_told_and_keeps_its_name() -> None:
    out = Lookout()
    await out.relays.heard(NAME, START, TWO)
    await out.relays.rename(NAME, " The barn ")
    await out.relays.sweep(LATE)
    await out.relays.heard(NAME, LATE, RelayHealth())
    assert (out.known.name, out.known.online, out.known.created_at) == ("The barn", True, START)
    await out.relays.sweep(LATE + OFFLINE_AFTER + timedelta(seconds=1))
    *_, gone = await out.all(2)  # one is a repeat of the first
    assert gone.message.startswith("The relay The barn is gone")


async def test_what_was_known_is_known_after_a_restart_and_silence_counts_from_then() -> None:
    out = Lookout()
    await out.relays.heard(NAME, START, TWO)
    out.clock.start = LATE
    again = out.started()
    await again.load()
    again._began = LATE
    await again.sweep(LATE + OFFLINE_AFTER)
    assert out.known.online
    await again.sweep(LATE + OFFLINE_AFTER + timedelta(seconds=1))
    assert not out.known.online


async def test_signs_of_life_are_not_stored_as_fast_as_they_come() -> None:
    out = Lookout()
    for second in range(int(SEEN_EVERY.total_seconds()) + 1):
        await out.relays.heard(NAME, START + timedelta(seconds=second), TWO)
    assert out.storage.relays.saved == 2
    assert out.known.last_seen == START + SEEN_EVERY


async def test_presence_holds_while_the_database_is_away() -> None:
    out = Lookout()
    out.storage.available = False
    await out.relays.heard(NAME, START, TWO)
    assert out.journal.written == ["relay.not_stored"]
    with pytest.raises(StorageUnavailableError):
        await out.relays.rename(NAME, "The barn")
    out.storage.available = True
    renamed = await out.relays.rename(NAME, "The barn")
    assert out.known == renamed == replace(renamed, name="The barn", online=True)


async def test_only_a_relay_that_was_heard_has_a_name() -> None:
    out = Lookout()
    with pytest.raises(NotFoundError, match=NAME):
        await out.relays.rename(NAME, "The barn")
    await out.relays.heard(NAME, START, TWO)
    with pytest.raises(BadInputError):
        await out.relays.rename(NAME, " ")
    await out.relays.rename(NAME, "The barn")
    assert (await out.relays.rename(NAME, None)).called == NAME


async def test_who_invents_relays_is_not_listened_to_for_ever() -> None:
    out = Lookout()
    for number in range(MOST_RELAYS + 5):
        await out.relays.heard(f"r{number}", START, RelayHealth())
    assert len(out.storage.relays.rows) == MOST_RELAYS


@pytest.mark.parametrize("relayed", [Relayed(NAME), Relayed(NAME, START)])
def test_what_a_reading_says_of_its_relay_can_be_read_back(relayed: Relayed) -> None:
    assert Relayed.of(relayed.noted()) == relayed
