"""Reports of health are kept whole for a day, thinner for a year, and then no more."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.devices import DeviceHealth
from domain.health_history import FORGOTTEN, KEPT_WHOLE, superfluous
from domain.services.registry import Registry
from domain.services.thin_health import BATCH, EVERY, ThinHealthHistory
from tests.fakes import START, FakeClock, FakeStorage
from tests.makers import make_device

NOW = START.replace(hour=12, minute=34, second=56)
DAY = timedelta(days=1)


def ages(*of: timedelta) -> list[datetime]:
    """Return the times so long before NOW, oldest first."""
    return sorted(NOW - age for age in of)


def kept(times: Sequence[datetime], now: datetime = NOW) -> list[datetime]:
    gone = set(superfluous(times, now))
    return [time for time in times if time not in gone]


histories = st.lists(
    st.one_of(
        st.integers(0, 400 * 86_400),
        *(st.integers(edge * 86_400 - 4000, edge * 86_400 + 4000) for edge in (1, 30, 365)),
    ).map(lambda age: NOW - timedelta(seconds=age)),
    unique=True,
    max_size=60,
).map(sorted)


def every(seconds: int, since: timedelta, until: timedelta) -> list[datetime]:
    span = int((since - until).total_seconds())
    return [NOW - since + timedelta(seconds=s) for s in range(0, span, seconds)]


def test_of_the_last_day_everything_is_kept() -> None:
    times = every(5, timedelta(hours=1), timedelta(0))
    assert kept(times) == times


@pytest.mark.parametrize(
    ("since", "until", "an_hour"),
    [
        (timedelta(hours=23), timedelta(hours=13), 60),
        (timedelta(days=3), timedelta(days=2), 12),
        (timedelta(days=61), timedelta(days=60), 1),
        (timedelta(days=367), timedelta(days=366), 0),
    ],
)
def test_older_reports_are_kept_more_thinly(
    since: timedelta, until: timedelta, an_hour: int
) -> None:
    hours = (since - until) // timedelta(hours=1)
    left = len(kept(every(60, since, until)))
    assert abs(left - an_hour * hours) <= 1


@given(histories)
def test_what_is_kept_lies_as_far_apart_as_its_age_asks_for(times: list[datetime]) -> None:
    left = kept(times)
    for time in left:
        assert NOW - time < FORGOTTEN + timedelta(hours=1)
    slots = [
        (time - timedelta(minutes=time.minute % 5, seconds=time.second)).replace(microsecond=0)
        for time in left
        if NOW - time > KEPT_WHOLE + timedelta(minutes=5)
    ]
    assert len(slots) == len(set(slots))


@given(histories)
def test_of_a_day_nothing_goes_and_of_no_year_a_slot_goes_empty(times: list[datetime]) -> None:
    left = kept(times)
    assert [t for t in times if NOW - t <= KEPT_WHOLE] == [t for t in left if NOW - t <= KEPT_WHOLE]
    for time in times:
        if NOW - time < FORGOTTEN:
            assert any(abs(time - other) < timedelta(hours=1) for other in left)


@given(histories, st.lists(st.integers(0, 400 * 86_400), max_size=4))
def test_it_never_matters_how_often_a_history_is_thinned(
    times: list[datetime], visits: list[int]
) -> None:
    by_and_by = times
    for age in sorted(visits, reverse=True):
        visit = NOW - timedelta(seconds=age)
        past = [time for time in by_and_by if time <= visit]
        by_and_by = kept(past, visit) + [time for time in by_and_by if time > visit]
    assert kept(by_and_by) == kept(times)


# ---------------------------------------------------------------- the job


class House:
    def __init__(self, *devices: str) -> None:
        self.storage = FakeStorage()
        self.registry = Registry()
        self.clock = FakeClock(automatic=True)
        self.notes: list[str] = []
        for esp_id in devices:
            self.registry.add_device(make_device(esp_id))
        self.job = ThinHealthHistory(
            storage=self.storage, registry=self.registry, clock=self.clock, journal=self
        )

    def info(self, event: str, **_fields: object) -> None:
        self.notes.append(event)

    warning = info

    def remember(self, esp_id: str, times: Sequence[datetime]) -> None:
        for time in times:
            self.storage.health_history.add(esp_id, DeviceHealth(reported_at=time))

    def remembered(self, esp_id: str) -> list[datetime]:
        return sorted(at for owner, at in self.storage.health_history.rows if owner == esp_id)


async def test_piece_by_piece_the_job_keeps_what_is_kept_of_the_whole() -> None:
    house = House("ESP_AAAA01", "ESP_AAAA02")
    long = every(120, timedelta(days=370), timedelta(days=362)) + every(60, 3 * DAY, 0 * DAY)
    assert len(long) > 3 * BATCH
    house.remember("ESP_AAAA01", long)
    house.remember("ESP_AAAA02", every(60, 2 * DAY, DAY))
    before = len(house.storage.health_history.rows)
    deleted = await house.job.thin(NOW)
    assert house.remembered("ESP_AAAA01") == kept(long)
    assert house.remembered("ESP_AAAA02") == kept(every(60, 2 * DAY, DAY))
    assert deleted == before - len(house.storage.health_history.rows)
    assert await house.job.thin(NOW) == 0


async def test_a_database_that_is_away_only_puts_it_off() -> None:
    house = House("ESP_AAAA01")
    house.clock.automatic = False
    house.storage.available = False
    async with asyncio.TaskGroup() as tasks:
        thinning = tasks.create_task(house.job.run())
        await house.clock.until_asleep()
        assert house.notes == ["health_history.not_thinned"]
        house.storage.available = True
        await house.clock.advance(EVERY.total_seconds() + 1)
        assert house.notes == ["health_history.not_thinned", "health_history.thinned"]
        thinning.cancel()
