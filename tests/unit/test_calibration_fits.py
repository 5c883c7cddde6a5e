"""The arithmetic of calibration: points become parameters, and impossible points are refused."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calibration_fits import Law, check_known, fit
from domain.calibrations import CalibrationMethod as Method
from domain.calibrations import CalibrationPoint as Point
from domain.errors import BadInputError

VOLTS = 3.3 / 4095

ELECTRODE = {"slope": -3.5, "offset": 12.25, "temperature": 25.0}


def read_ph(raw: float, parameters: Mapping[str, float]) -> float:
    known = {**ELECTRODE, **parameters}
    ph = known["slope"] * raw * VOLTS + known["offset"]
    return ph + (known["temperature"] - 25) * 0.003 * (7 - ph)


PH = Law(
    sets=("slope", "offset"),
    seen=lambda raw: raw * VOLTS,
    measure=read_ph,
    defaults=ELECTRODE,
    raw=(0, 4095),
    valid=(0, 14),
    unit="pH",
)

EC = Law(
    sets=("slope", "offset"),
    seen=lambda raw: raw * VOLTS,
    measure=lambda raw, p: p.get("slope", 6060.0) * raw * VOLTS + p.get("offset", 0.0),
    defaults={"slope": 6060.0, "offset": 0.0},
    raw=(0, 4095),
    valid=(0, 20_000),
    unit="µS/cm",
)


def plain(parameter: str) -> Law:
    return Law(
        sets=(parameter,),
        seen=lambda raw: raw * 0.0625,
        measure=lambda raw, p: raw * 0.0625 * p.get("factor", 1.0) + p.get("offset", 0.0),
        defaults={"offset": 0.0, "factor": 1.0},
        raw=(-32_768, 32_767),
        valid=(-55, 125),
        unit="°C",
    )


PLAIN, SCALED = plain("offset"), plain("factor")

PROBE = Law(
    sets=("dry", "wet"),
    seen=lambda raw: raw,
    measure=lambda raw, p: (raw - p["dry"]) / (p["wet"] - p["dry"]) * 100,
    defaults={"dry": 3200.0, "wet": 1500.0},
    raw=(0, 4095),
    valid=(0, 100),
    unit="%",
)


def volts(value: float) -> float:
    return value / VOLTS


def test_a_probe_that_is_not_connected_is_no_point_but_may_be_what_stands_in_dry_air() -> None:
    def clipped(raw: float) -> str | None:
        return "at the end: no probe connected?" if raw > 4000 else None

    points = [Point(volts(1.5), 7.0), Point(4095, 4.0)]
    with pytest.raises(BadInputError, match="4095 lies at the end: no probe connected"):
        fit(Method.PH_2POINT, points, replace(PH, doubt=clipped))
    resistive = fit(
        Method.DRY_WET, [Point(4095, 0), Point(1200, 100)], replace(PROBE, doubt=clipped)
    )
    assert [finding.code for finding in resistive.findings] == ["clipped"]


@pytest.mark.parametrize(
    ("reference", "celsius", "why"),
    [(7.0, 500, "between 0 and 100 °C"), (15.0, 25, "between 0 and 14 pH")],
)
def test_a_liquid_that_cannot_be_is_refused_before_anything_is_measured_in_it(
    reference: float, celsius: float, why: str
) -> None:
    with pytest.raises(BadInputError, match=why):
        check_known(reference, celsius, PH)
    check_known(7.0, None, PH)


def test_a_perfect_electrode_is_found_to_be_perfect() -> None:
    found = fit(Method.PH_2POINT, [Point(volts(1.5), 7.0), Point(volts(1.5 + 3 / 3.5), 4.0)], PH)
    assert found.parameters["slope"] == pytest.approx(-3.5)
    assert found.parameters["offset"] == pytest.approx(12.25)
    assert found.slope_percent == pytest.approx(100)
    assert found.zero_error == pytest.approx(0, abs=1e-9)
    assert found.residuals == pytest.approx([0, 0], abs=1e-9)
    assert not found.findings


def test_a_worn_electrode_works_and_is_told_to_be_worn() -> None:
    found = fit(Method.PH_2POINT, [Point(volts(1.5), 7), Point(volts(1.5 + 3 / 3.5 * 0.8), 4)], PH)
    assert found.slope_percent == pytest.approx(80)
    assert [finding.code for finding in found.findings] == ["slope_low"]
    assert "replace" in found.findings[0].message


def test_an_electrode_whose_zero_has_moved_by_more_than_30_mv_is_told() -> None:
    # 30 mV at the electrode are 0.507 pH; 0.6 pH are more.
    moved = 1.5 + 0.6 / 3.5
    found = fit(Method.PH_2POINT, [Point(volts(moved), 7), Point(volts(moved + 3 / 3.5), 4)], PH)
    assert found.zero_error == pytest.approx(-0.6)
    assert [finding.code for finding in found.findings] == ["zero_off"]


def test_three_buffers_that_do_not_lie_on_a_line_leave_residuals() -> None:
    points = [Point(volts(2.36), 4), Point(volts(1.5), 7), Point(volts(0.7), 10)]
    found = fit(Method.PH_3POINT, points, PH)
    assert max(abs(residual) for residual in found.residuals) > 0.05
    assert sum(found.residuals) == pytest.approx(0, abs=1e-9)


def test_the_temperature_of_a_buffer_is_taken_into_account() -> None:
    points = [Point(volts(1.5), 7.0, 10.0), Point(volts(2.3), 4.0, 10.0)]
    found = fit(Method.PH_2POINT, points, PH)
    cold = {**found.parameters, "temperature": 10.0}
    assert read_ph(points[1].raw, cold) == pytest.approx(4.0)
    assert read_ph(points[1].raw, found.parameters) != pytest.approx(4.0, abs=0.01)


@given(
    slope=st.floats(0.6, 1.4),
    shift=st.floats(-0.3, 0.3),
    warm=st.floats(5, 45),
    third=st.booleans(),
)
def test_whatever_the_electrode_its_buffers_are_read_as_what_they_are(
    slope: float,
    shift: float,
    warm: float,
    third: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    references = [7.0, 4.0, 10.0] if third else [7.0, 4.0]
    points = [
        Point(volts(1.5 + shift - (reference - 7) / 3.5 * slope), reference, warm)
        for reference in references
    ]
    found = fit(Method.PH_3POINT if third else Method.PH_2POINT, points, PH)
    for point, residual in zip(points, found.residuals, strict=True):
        read = read_ph(point.raw, {**found.parameters, "temperature": warm})
        assert read == pytest.approx(point.reference, abs=0.02)
        assert residual == pytest.approx(read - point.reference, abs=1e-6)


def test_two_standards_make_a_conductivity_cell_true() -> None:
    points = [Point(300, 1413), Point(2500, 12_880)]
    found = fit(Method.EC_2POINT, points, EC)
    assert EC.measure(300, found.parameters) == pytest.approx(1413)
    assert EC.measure(2500, found.parameters) == pytest.approx(12_880)
    assert found.slope_percent == pytest.approx(93.7, abs=0.1)


def test_an_offset_is_the_mean_difference() -> None:
    found = fit(Method.OFFSET, [Point(320, 20.5), Point(480, 30.7)], PLAIN)
    assert found.parameters == {"offset": pytest.approx(0.6)}
    assert found.residuals == pytest.approx([0.1, -0.1])
    assert found.slope_percent is None


def test_a_factor_is_the_mean_ratio() -> None:
    assert fit(Method.FACTOR, [Point(160, 12.0)], SCALED).parameters == {"factor": 1.2}


def test_dry_and_wet_become_the_ends_of_the_scale() -> None:
    found = fit(Method.DRY_WET, [Point(3100, 0), Point(1400, 100)], PROBE)
    assert found.parameters == {"dry": 3100, "wet": 1400}
    assert found.residuals == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("method", "law", "points", "reason"),
    [
        (Method.OFFSET, PLAIN, [], "at least one"),
        (Method.OFFSET, PLAIN, [Point(1, 1)] * 11, "at most 10"),
        (Method.OFFSET, PLAIN, [Point(320, 200)], "outside -55 to 125"),
        (Method.OFFSET, PLAIN, [Point(40_000, 20)], "raw value 40000 lies outside"),
        (Method.OFFSET, PLAIN, [Point(float("nan"), 20)], "outside"),
        (Method.OFFSET, PLAIN, [Point(320, 20, 300)], "between 0 and 100"),
        (Method.ZERO, PLAIN, [Point(1, 1), Point(2, 2)], "exactly one"),
        (Method.FACTOR, SCALED, [Point(-160, 12)], "above zero"),
        (Method.DRY_WET, PROBE, [Point(3100, 0)], "two points"),
        (Method.DRY_WET, PROBE, [Point(2000, 0), Point(2000, 100)], "same raw value"),
        (Method.DRY_WET, PROBE, [Point(1400, 0), Point(3100, 100)], "wrong way round"),
        (Method.LINEAR, EC, [Point(100, 600)], "at least two"),
        (Method.LINEAR, EC, [Point(100, 600), Point(100, 900)], "same raw value"),
        (Method.LINEAR, EC, [Point(100, 600), Point(200, 600)], "same reference"),
        (Method.LINEAR, EC, [Point(200, 600), Point(100, 900)], "wrong way"),
        (Method.PH_2POINT, PH, [Point(1861, 7)], "takes 2 buffers"),
        (Method.PH_2POINT, PH, [Point(1861, 4), Point(900, 10)], "exactly one buffer"),
        (Method.PH_2POINT, PH, [Point(1861, 7), Point(1850, 4)], "wrong way"),
        (Method.PH_2POINT, PH, [Point(1861, 7), Point(1900, 4)], "% of an ideal"),
        (
            Method.PH_3POINT,
            PH,
            [Point(1861, 7), Point(2900, 4), Point(2800, 4.5)],
            "one buffer must be acid",
        ),
        (Method.EC_2POINT, EC, [Point(300, 1413)], "two standards"),
    ],
)
def test_impossible_points_are_refused_with_the_reason(
    method: Method, law: Law, points: list[Point], reason: str
) -> None:
    with pytest.raises(BadInputError, match=reason):
        fit(method, points, law)
