"""The judge of readings: every reason to doubt one, and that doubting costs nothing else."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.limits import Band, QualityLimits, check_fits, read_limits
from domain.quality import FEWEST_STUCK, LATE_AFTER, Track, judge
from domain.relays import Relayed
from domain.sensors import Measurement, ProcessingMode, Quality, Sample, SensorKey
from tests.fakes import START

KEY = SensorKey("ESP_12AB34", 4, "ds18b20")
LIMITS = QualityLimits(
    unit="°C",
    valid=Band(-55, 125),
    typical=Band(-10, 85),
    max_rate=1.0,
    stuck_after=timedelta(minutes=10),
    warm_up=timedelta(minutes=3),
)


def sample(seconds: float, raw: float, late: timedelta = timedelta(0)) -> Sample:
    at = START + timedelta(seconds=seconds)
    return Sample(KEY, raw, received_at=at + late, measured_at=at)


def measured(value: float | None, **changes: object) -> Measurement:
    made = Measurement(
        value, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED, library_version="1.0.0"
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # any field


def run(
    *values: tuple[float, float],
    limits: QualityLimits = LIMITS,
    booted_at: datetime | None = None,
) -> list[Measurement]:
    """Judge (second, value) one after another."""
    track: Track | None = None
    judged = []
    for at, value in values:
        made, track = judge(sample(at, value * 16), measured(value), limits, track, booted_at)
        judged.append(made)
    return judged


def codes(measurement: Measurement) -> list[str]:
    return [reason["code"] for reason in (measurement.notes or {}).get("reasons", [])]


def test_a_plain_reading_passes_untouched() -> None:
    made = measured(21.5)
    judged, track = judge(sample(0, 344), made, LIMITS, None, None)
    assert judged is made
    assert track is not None
    assert track.value == 21.5


def test_a_sensor_without_limits_is_only_judged_by_age() -> None:
    assert [m.quality for m in run((0, 20), (1, 90), limits=QualityLimits())] == ["GOOD", "GOOD"]


@pytest.mark.parametrize(
    ("value", "quality", "code", "text"),
    [
        (130.0, Quality.BAD, "OUT_OF_RANGE", "possible is -55 to 125 °C"),
        (90.0, Quality.FAIR, "ATYPICAL", "usual is -10 to 85 °C"),
    ],
)
def test_values_outside_a_band_are_kept_and_marked(
    value: float, quality: Quality, code: str, text: str
) -> None:
    (judged,) = run((0, value))
    assert judged.value == value
    assert judged.quality is quality
    assert judged.notes == {"reason": text, "reasons": [{"code": code, "text": text}]}


def test_a_value_in_another_unit_is_judged_in_that_of_the_limits() -> None:
    fahrenheit = measured(200.0, unit="°F", mode=ProcessingMode.LOCAL)
    judged, _ = judge(sample(0, 1), fahrenheit, LIMITS, None, None)
    assert codes(judged) == ["ATYPICAL"], "93 °C"
    assert judged.unit == "°F"
    judged, _ = judge(sample(0, 1), measured(500.0, unit="µS/cm"), LIMITS, None, None)
    assert judged.notes is None, "a conductivity has no place in limits of temperature"
    judged, _ = judge(sample(0, 1), measured(500.0, unit=None), LIMITS, None, None)
    assert judged.notes is None


def test_a_jump_is_doubted_and_what_really_changed_is_soon_believed() -> None:
    judged = run((0, 20), (1, 30), (2, 30), (5, 30.2), (11, 30), (12, 30.5))
    assert [codes(m) for m in judged] == [[], ["TOO_FAST"], ["TOO_FAST"], ["TOO_FAST"], [], []]
    assert judged[1].quality is Quality.SUSPECT
    assert judged[1].notes is not None
    assert judged[1].notes["reason"] == "10 °C in 1 s; possible is 1 °C a second"


def test_after_a_spike_the_value_from_before_is_not_doubted() -> None:
    assert [codes(m) for m in run((0, 20), (1, 60), (2, 20.1))] == [[], ["TOO_FAST"], []]


def test_two_samples_of_the_same_moment_are_no_rate() -> None:
    assert [codes(m) for m in run((0, 20), (0.001, 20.5))] == [[], []]


def test_values_that_were_made_in_another_way_are_not_compared() -> None:
    _, track = judge(sample(0, 320), measured(20.0), LIMITS, None, None)
    newer = measured(40.0, library_version="1.1.0")
    judged, track = judge(sample(1, 320), newer, LIMITS, track, None)
    assert judged is newer
    judged, _ = judge(sample(2, 320), newer._replace(value=60.0), LIMITS, track, None)
    assert codes(judged) == ["TOO_FAST"]


def test_a_raw_value_that_never_moves_is_stuck_and_free_again_once_it_moves() -> None:
    minutes = [(60.0 * minute, 20.0) for minute in range(13)]
    judged = run(*minutes, (60.0 * 13, 20.0625))
    assert [codes(m) for m in judged] == [[]] * 10 + [["STUCK"]] * 3 + [[]]
    assert judged[10].quality is Quality.SUSPECT


def test_the_same_value_before_and_after_a_silence_is_not_stuck() -> None:
    hours = [(3600.0 * hour, 20.0) for hour in range(FEWEST_STUCK)]
    assert [codes(m) for m in run(*hours)] == [[]] * (FEWEST_STUCK - 1) + [["STUCK"]]


def test_a_sensor_that_warms_up_is_doubted_until_it_is_warm() -> None:
    judged = run((0, 20), (179, 20), (180, 20), booted_at=START)
    assert [codes(m) for m in judged] == [["WARMING_UP"], ["WARMING_UP"], []]
    assert run((0, 20), booted_at=None)[0].notes is None
    assert run((0, 20), booted_at=START + timedelta(seconds=1))[0].notes is None


def test_a_reading_that_comes_late_is_stale_and_leaves_the_memory_alone() -> None:
    _, track = judge(sample(3600, 320), measured(20.0), LIMITS, None, None)
    late, after = judge(sample(0, 1600, late=LATE_AFTER * 4), measured(80.0), LIMITS, track, None)
    assert codes(late) == ["LATE"]
    assert late.quality is Quality.STALE
    assert after is track
    on_time, _ = judge(sample(0, 320, late=LATE_AFTER), measured(20.0), LIMITS, None, None)
    assert codes(on_time) == []


def test_a_clock_that_runs_ahead_does_not_blind_the_judge() -> None:
    ahead = sample(0, 320)._replace(measured_at=START + timedelta(days=400))
    _, track = judge(ahead, measured(20.0), LIMITS, None, None)
    judged, _ = judge(sample(1, 960), measured(60.0), LIMITS, track, None)
    assert codes(judged) == ["TOO_FAST"]


def test_the_worst_that_anybody_says_wins_and_every_reason_is_kept() -> None:
    doubted = measured(
        130.0, quality=Quality.STALE, notes={"reason": "the device calls it stale", "x": 1}
    )
    judged, _ = judge(sample(0, 1, late=LATE_AFTER * 2), doubted, LIMITS, None, None)
    assert judged.quality is Quality.BAD
    assert codes(judged) == ["CONVERSION", "LATE", "OUT_OF_RANGE"]
    assert judged.notes is not None
    assert judged.notes["x"] == 1
    assert judged.notes["reason"].startswith("the device calls it stale; measured 30 min before")
    failed = measured(None, quality=Quality.ERROR, notes={"reason": "disconnected"})
    judged, _ = judge(sample(0, 1, late=LATE_AFTER * 2), failed, LIMITS, None, None)
    assert judged.quality is Quality.ERROR


ORDERED = st.lists(st.tuples(st.integers(0, 10_000), st.floats(-100, 200)), min_size=1, max_size=40)


@given(ORDERED)
def test_a_value_outside_its_range_never_passes_for_good(values: list[tuple[int, float]]) -> None:
    for (_, value), judged in zip(values, run(*values), strict=True):
        assert judged.value == value, "the judge never changes a value"
        if not -55 <= value <= 125:
            assert judged.quality is Quality.BAD
        elif not -10 <= value <= 85:
            assert judged.quality in {Quality.FAIR, Quality.SUSPECT}


@given(ORDERED, st.randoms())
def test_late_arrivals_change_no_verdict_on_what_is_newer(
    values: list[tuple[int, float]], random: object
) -> None:
    newest_first = sorted(values, reverse=True)
    track: Track | None = None
    in_order = sorted(dict(values).items())
    plain = [codes(m) for m in run(*in_order)]
    disturbed = []
    for at, value in in_order:
        made, track = judge(sample(at, value * 16), measured(value), LIMITS, track, None)
        disturbed.append(codes(made))
        for old, other in newest_first:
            if old < at:
                _, track = judge(sample(old, other * 16), measured(other), LIMITS, track, None)
    assert disturbed == plain


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=50))
def test_what_moves_slower_than_the_limit_is_never_too_fast(steps: list[float]) -> None:
    value, values = 20.0, []
    for second, step in enumerate(steps):
        value += step * 0.999
        values.append((float(second), value))
    assert all("TOO_FAST" not in codes(m) for m in run(*values))
    assert all(b[0] - a[0] == 1 for a, b in pairwise(values))


# ------------------------------------------------------------ limits


def test_limits_are_read_and_written_alike() -> None:
    given = {
        "unit": "°F",
        "valid": [0, 100],
        "typical": [50, 90],
        "maxRate": 0.5,
        "stuckAfter": 600,
        "warmUp": 60,
        "lateAfter": 120,
    }
    limits = read_limits(given)
    assert limits is not None
    assert limits.as_json() == given
    assert read_limits(limits.as_json()) == limits
    assert read_limits({}) is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "qualityLimits must be a JSON object"),
        ({"max_rate": 1}, "qualityLimits has no 'max_rate'; it has unit, valid"),
        ({"valid": [0, 1]}, "valid, typical and maxRate need a unit"),
        ({"unit": "furlong"}, "'furlong' is no unit known here"),
        ({"unit": 3}, "unit must be a text"),
        ({"unit": "°C", "valid": [1, 0]}, r"valid must be \[low, high\], low below high"),
        ({"unit": "°C", "valid": 7}, r"valid must be \[low, high\]"),
        ({"unit": "°C", "maxRate": 0}, "maxRate must be more than 0"),
        ({"unit": "°C", "maxRate": True}, "maxRate must be a number"),
        ({"unit": "°C", "maxRate": float("nan")}, "maxRate must be a number"),
        ({"stuckAfter": -1}, "stuckAfter must be 0 to 31622400 seconds"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_the_reason(
    given: object, complaint: str
) -> None:
    with pytest.raises(BadInputError, match=complaint):
        read_limits(given)


def test_limits_of_a_sensor_go_before_those_of_its_library_and_keep_their_meaning() -> None:
    own = QualityLimits(unit="°F", typical=Band(50, 86), max_rate=0.9)
    both = own.over(LIMITS)
    assert both.unit == "°C"
    assert both.typical is not None
    assert [*both.typical] == pytest.approx([10, 30])
    assert both.max_rate == pytest.approx(0.5), "nine tenths of a Fahrenheit are half a Celsius"
    assert both.valid == LIMITS.valid
    assert both.warm_up == LIMITS.warm_up
    assert own.over(None) is own


def test_limits_in_a_unit_of_something_else_are_refused_and_were_they_stored_do_nothing() -> None:
    own = QualityLimits(unit="pH", typical=Band(5, 7), stuck_after=timedelta(hours=1))
    with pytest.raises(BadInputError, match="qualityLimits: pH is a unit of pH, °C one of temp"):
        check_fits("pH", "°C", "qualityLimits")
    check_fits("K", "°C", "qualityLimits")
    check_fits("pH", None, "qualityLimits")
    both = own.over(LIMITS)
    assert (both.unit, both.typical) == ("°C", LIMITS.typical)
    assert both.stuck_after == timedelta(hours=1)


def test_a_reading_that_a_relay_held_back_is_late_by_its_own_time_and_names_the_relay() -> None:
    relayed = Relayed("kaiser_001", START + LATE_AFTER)
    held = sample(0, 344, late=LATE_AFTER + timedelta(seconds=1))._replace(relayed=relayed)
    judged, _ = judge(held, measured(21.5), LIMITS, None, None)
    assert (judged.quality, codes(judged)) == (Quality.STALE, ["LATE"])
    assert judged.notes
    assert judged.notes["relay"] == relayed.noted()
