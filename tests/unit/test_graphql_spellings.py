"""How instants, durations, ids and cursors are written, and that nothing else passes for them."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.pages import DEFAULT_SIZE, LARGEST_SIZE
from domain.times import read_duration, read_instant, write_duration, write_instant
from schema.ids import (
    from_base64,
    global_id,
    instant_of,
    key_of,
    microseconds,
    read_id,
    to_base64,
)
from schema.pages import LARGEST_INTEGER, Cursors
from tests.fakes import START

DURATIONS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=999_999))
INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - the time zone comes with the strategy
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
KEYS = st.lists(
    st.text() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER), min_size=1, max_size=4
).map(tuple)

# ---------------------------------------------------------------- durations


@given(DURATIONS)
def test_a_duration_reads_back_as_written(duration: timedelta) -> None:
    assert read_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT5M", 300),
        ("PT0S", 0),
        ("PT1.5S", 1.5),
        ("PT90S", 90),
        ("P1DT12H", 129_600),
        ("P2D", 172_800),
        ("PT1H30M", 5400),
        ("PT0.000001S", 0.000001),
    ],
)
def test_durations_are_iso_8601(text: str, seconds: float) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=5), "PT5M"),
        (timedelta(0), "PT0S"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=1, seconds=1, microseconds=500_000), "P1DT1.5S"),
        (timedelta(hours=26), "P1DT2H"),
    ],
)
def test_durations_are_written_the_shortest_way(duration: timedelta, text: str) -> None:
    assert write_duration(duration) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "5M", "PT5", "PT5M ", "PT5M\n", "pt5m", "P999999999DT24H"),
        *("P1Y", "P1M", "P1W", "-PT5M", "PT-5M", "PT1,5S", "PT.5S", "PT1.5M", "PT1.0000001S"),
        *("PT\N{ARABIC-INDIC DIGIT FIVE}M", 5, None, 1.5),
    ],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(BadInputError):
        read_duration(text)


@given(st.text())
def test_no_text_crashes_the_reading_of_durations(text: str) -> None:
    with suppress(BadInputError):
        assert read_duration(text) >= timedelta(0)


# ---------------------------------------------------------------- instants


@given(INSTANTS)
def test_an_instant_reads_back_as_written(instant: datetime) -> None:
    assert read_instant(write_instant(instant)) == instant


def test_instants_are_written_in_utc() -> None:
    summer = datetime(2026, 7, 1, 8, 30, tzinfo=timezone(timedelta(hours=2)))

    assert write_instant(summer) == "2026-07-01T06:30:00Z"


def test_an_offset_is_honoured() -> None:
    assert read_instant("2026-01-01T14:00:00+02:00") == START
    assert read_instant("2026-01-01T12:00Z") == START


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-01", "2026-01-01T12:00:00", "12:00:00Z", "20260101T000000Z", "now", ""),
        *("2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+10:00"),
        *("2026-01-01T12:00:00+99:00", "2026-01-01 12:00:00Z", 1_700_000_000, None),
    ],
)
def test_what_is_no_instant_is_refused(text: object) -> None:
    with pytest.raises(BadInputError):
        read_instant(text)


@given(INSTANTS)
def test_microseconds_lose_nothing(instant: datetime) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    assert epoch + timedelta(microseconds=microseconds(instant)) == instant
    assert instant_of(microseconds(instant)) == instant


# ---------------------------------------------------------------- ids


@given(st.sampled_from(["Device", "Sensor", "Reading"]), st.lists(st.text(max_size=40), max_size=4))
def test_an_id_reads_back_as_written(type_name: str, parts: list[str]) -> None:
    wrapped = global_id(type_name, *parts)
    assume(len(wrapped) <= 1000)

    assert read_id(wrapped) == (type_name, tuple(parts))
    assert key_of(type_name, wrapped) == tuple(parts)


@given(st.text(max_size=40), st.text(max_size=40))
def test_different_things_have_different_ids(one: str, other: str) -> None:
    assume(one != other)

    assert global_id("Sensor", one, "x") != global_id("Sensor", other, "x")
    assert global_id("Sensor", f"{one}:x") != global_id("Sensor", one, "x")


def test_an_id_of_another_type_is_refused() -> None:
    with pytest.raises(BadInputError, match="not the id of a Command"):
        key_of("Command", global_id("Device", "ESP_12AB34"))


@given(st.text())
def test_no_text_crashes_the_reading_of_ids(text: str) -> None:
    try:
        type_name, parts = read_id(text)
    except BadInputError:
        return
    assert global_id(type_name, *parts) == text


def test_an_absurdly_long_id_is_refused() -> None:
    with pytest.raises(BadInputError):
        read_id(to_base64("Device:" + "x" * 2000))


# ---------------------------------------------------------------- cursors


@given(KEYS)
def test_a_cursor_reads_back_as_written(key: tuple[str | int, ...]) -> None:
    cursors = Cursors("readings")
    assume(len(cursors.write(key)) <= 1000)

    assert cursors.read(cursors.write(key)) == key


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(BadInputError, match="not a cursor of this list"):
        Cursors("devices").read(Cursors("sensors").write(("ESP_A",)))


@pytest.mark.parametrize(
    "content",
    [
        *([], ["devices"], "devices", {"devices": 1}, 5, None),
        *(["devices", True], ["devices", 1.5], ["devices", None], ["devices", ["x"]]),
        *(["devices", 2**63], ["devices", float("nan")]),
    ],
    ids=repr,
)
def test_a_forged_cursor_is_refused(content: object) -> None:
    with pytest.raises(BadInputError):
        Cursors("devices").read(to_base64(json.dumps(content)))


@given(st.text())
def test_no_text_crashes_the_reading_of_cursors(text: str) -> None:
    for forged in (text, to_base64(text.encode("utf-8", "ignore").decode())):
        with suppress(BadInputError):
            assert Cursors("devices").read(forged)


def test_a_cursor_nested_too_deeply_is_refused() -> None:
    with pytest.raises(BadInputError):
        Cursors("devices").read(to_base64("[" * 700))


@given(st.text(max_size=100))
def test_base64_reads_back_as_written(text: str) -> None:
    assert from_base64(to_base64(text)) == text


def test_a_page_has_fifty_entries_unless_asked_otherwise() -> None:
    assert Cursors("devices").request(None, None).first == DEFAULT_SIZE == 50


@pytest.mark.parametrize("first", [0, -1, LARGEST_SIZE + 1])
def test_a_page_of_an_absurd_size_is_refused(first: int) -> None:
    with pytest.raises(BadInputError):
        Cursors("devices").request(first, None)
