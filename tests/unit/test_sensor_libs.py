"""Sensor libraries tell the truth about raw values, or say why they cannot; they harm nobody."""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sensors import Measurement, ProcessingMode, Quality, Sample, SensorKey
from sensor_libs.api import FLOAT, Converted, Range, SensorLibrary, Vector
from sensor_libs.loader import Catalog, load, load_built_in
from sensor_libs.runner import LibraryRunner
from sensor_libs.usage import MOST_FAILURES
from simulator.sensors import CHIPS, Chip
from tests.fakes import START

BUILT_IN = load_built_in()
LIBRARIES = sorted(
    (library for libraries in BUILT_IN.files.values() for library in libraries),
    key=lambda library: library.name,
)
every_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)

finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.integers(-(2**31), 2**32 - 1).map(float)
raws = finite | words | st.floats(-5000, 70_000)


def sample(sensor_type: str = "ds18b20", raw: float = 344.0, **fields: Any) -> Sample:  # noqa: ANN401 - any field
    return Sample(SensorKey("ESP_12AB34", 4, sensor_type), raw, START)._replace(**fields)


def measure(sensor_type: str, raw: float, **fields: Any) -> Measurement:  # noqa: ANN401 - any field
    return LibraryRunner(BUILT_IN).measure(sample(sensor_type, raw, **fields))


def reason(measurement: Measurement) -> str:
    assert measurement.notes is not None
    return str(measurement.notes["reason"])


class TestBuiltIn:
    def test_nothing_is_broken(self) -> None:
        assert BUILT_IN.broken == {}
        assert {kind for library in LIBRARIES for kind in library.sensor_types} == {
            *("ds18b20", "sht31_temp", "sht31_humidity", "dht22_temp", "dht22_humidity"),
            *("ph", "ph_atlas", "ph_atlas_analog", "ec", "ec_atlas"),
            *("moisture", "moisture_resistive", "flow", "flow_pulses"),
            *("bmp280_temp", "bmp280_pressure", "pressure"),
            *("bme280_temp", "bme280_pressure", "bme280_humidity"),
            *("mhz19", "co2", "scd30_co2", "scd30_temp", "scd30_humidity"),
            *("bh1750", "tsl2561", "light", "vpd", "dew_point"),
        }

    @pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS.keys())
    @given(raw=st.integers(60, 4000))
    def test_a_virtual_chip_and_its_library_agree(self, chip: Chip, raw: int) -> None:
        value = BUILT_IN.by_type[chip.sensor_type].measure(raw).value
        if value is not None:
            low, high = BUILT_IN.by_type[chip.sensor_type].valid
            assert value == pytest.approx(min(max(chip.to_value(raw), low), high), abs=0.051)

    @pytest.mark.parametrize(
        ("sensor_type", "raw", "value", "unit", "quality"),
        [
            ("ds18b20", 344, 21.5, "°C", Quality.GOOD),
            ("ds18b20", -24, -1.5, "°C", Quality.GOOD),
            ("ds18b20", 1360, 85.0, "°C", Quality.SUSPECT),
            ("ds18b20", -2032, None, "°C", Quality.ERROR),
            ("sht31_temp", 24173, 19.55, "°C", Quality.GOOD),
            ("sht31_humidity", 26551, 40.51, "%RH", Quality.GOOD),
            ("ph", 2150, 6.19, "pH", Quality.FAIR),
            ("ec", 1000, 4883.5, "µS/cm", Quality.GOOD),
            ("moisture", 2300, 52.9, "%", Quality.GOOD),
            ("moisture", 4090, 0.0, "%", Quality.SUSPECT),
            ("bh1750", 1200, 1000.0, "lx", Quality.EXCELLENT),
            ("mhz19", 800, 800.0, "ppm", Quality.GOOD),
            ("co2", 2400, 2400.0, "ppm", Quality.POOR),
        ],
    )
    def test_known_values(
        self, sensor_type: str, raw: float, value: float | None, unit: str, quality: Quality
    ) -> None:
        made = measure(sensor_type, raw)
        assert (made.value, made.unit, made.quality) == (value, unit, quality)
        assert made.mode is ProcessingMode.PI_ENHANCED
        library = BUILT_IN.by_type[sensor_type]
        assert (made.library, made.library_version) == (library.name, library.version)


def library(
    convert: Callable[[float, Mapping[str, float]], Converted] = lambda raw, _: Converted(
        raw, Quality.GOOD
    ),
    name: str = "probe",
    version: str = "1.0.0",
    sensor_types: tuple[str, ...] = ("probe",),
) -> SensorLibrary:
    return SensorLibrary(
        name=name,
        version=version,
        sensor_types=sensor_types,
        raw=FLOAT,
        unit="V",
        decimals=1,
        valid=Range(0, 100),
        typical=Range(10, 90),
        source="made up",
        convert=convert,
        vectors=(Vector(1, 1.0, Quality.GOOD),),
    )


def explode(raw: float, _: Mapping[str, float]) -> Converted:
    raise ZeroDivisionError(f"of {raw}")


def leave(raw: float, _: Mapping[str, float]) -> Converted:
    raise SystemExit(raw)


class TestRunner:
    @given(
        st.sampled_from([*BUILT_IN.by_type, "never_heard_of"]),
        st.floats(),
        st.none() | st.floats(),
        st.sampled_from([None, "°C", "%", "K"]),
        st.sampled_from(Quality),
    )
    def test_it_never_raises_and_never_says_what_is_no_number(
        self,
        sensor_type: str,
        raw: float,
        device_value: float | None,
        device_unit: str | None,
        device_quality: Quality,
    ) -> None:
        made = measure(
            sensor_type,
            raw,
            device_value=device_value,
            device_unit=device_unit,
            device_quality=device_quality,
        )
        assert made.value is None or math.isfinite(made.value)
        assert made.value is not None or made.notes
        if made.quality is Quality.ERROR:
            assert made.value is None

    def test_an_unknown_type_passes_through_and_says_so(self) -> None:
        made = measure("flux_capacitor", 1.21, device_unit="GW")
        assert made.value == 1.21
        assert made.unit is None
        assert made.mode is ProcessingMode.RAW
        assert made.quality is Quality.UNKNOWN
        assert "flux_capacitor" in reason(made)

    def test_what_the_device_calls_final_is_kept(self) -> None:
        made = measure(
            "ds18b20", 0, device_value=21.4567, device_unit="°C", device_quality=Quality.GOOD
        )
        assert made == Measurement(21.4567, "°C", Quality.GOOD, ProcessingMode.LOCAL)

    def test_a_final_value_without_a_unit_has_that_of_its_kind(self) -> None:
        assert measure("ds18b20", 0, device_value=21.0).unit == "°C"
        assert measure("never_heard_of", 0, device_value=21.0).unit is None

    def test_a_final_value_that_the_chip_cannot_have_measured_is_an_error(self) -> None:
        made = measure("ds18b20", 0, device_value=-127.0, device_quality=Quality.GOOD)
        assert made.value is None
        assert made.quality is Quality.ERROR
        assert "-55 to 125" in reason(made)

    def test_a_final_value_in_another_unit_is_taken_as_it_is(self) -> None:
        assert measure("ds18b20", 0, device_value=300.0, device_unit="K").value == 300.0

    @pytest.mark.parametrize("doubt", [Quality.BAD, Quality.STALE, Quality.SUSPECT])
    @pytest.mark.parametrize("final", [None, 21.5])
    def test_a_devices_doubts_count(self, doubt: Quality, final: float | None) -> None:
        made = measure("ds18b20", 344, device_value=final, device_quality=doubt)
        assert (made.value, made.quality) == (21.5, doubt)
        assert "the device" in reason(made)

    @pytest.mark.parametrize("final", [None, 21.5])
    def test_where_the_device_reports_an_error_there_is_no_value(self, final: float | None) -> None:
        made = measure("ds18b20", 344, device_value=final, device_quality=Quality.ERROR)
        assert (made.value, made.quality) == (None, Quality.ERROR)

    def test_a_devices_doubt_does_not_soften_an_error(self) -> None:
        made = measure("ds18b20", -2032, device_quality=Quality.SUSPECT)
        assert (made.value, made.quality) == (None, Quality.ERROR)
        assert "disconnected" in reason(made)

    @pytest.mark.parametrize("praise", [Quality.EXCELLENT, Quality.GOOD, Quality.FAIR])
    def test_a_devices_praise_does_not(self, praise: Quality) -> None:
        assert measure("ph", 700, device_quality=praise).quality is Quality.POOR

    @pytest.mark.parametrize(
        "convert",
        [
            explode,
            leave,
            lambda raw, _: raw,
            lambda raw, _: Converted(raw, "good"),  # type: ignore[arg-type]  # what authors may do
            lambda *_: Converted("many", Quality.GOOD),  # type: ignore[arg-type]  # the same
            lambda *_: None,
        ],
    )
    def test_a_library_that_fails_costs_one_conversion(
        self, convert: Callable[[float, Mapping[str, float]], Converted]
    ) -> None:
        runner = LibraryRunner(Catalog({"probe": (library(convert),)}))
        made = runner.measure(sample("probe", 5.0))
        assert (made.value, made.unit, made.mode) == (5.0, None, ProcessingMode.RAW)
        assert "probe 1.0.0 failed" in reason(made)
        assert runner.failures == {"probe": 1}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 100.1, -0.1])
    def test_a_value_that_cannot_be_is_an_error(self, value: float) -> None:
        odd = library(lambda *_: Converted(value, Quality.GOOD))
        made = LibraryRunner(Catalog({"probe": (odd,)})).measure(sample("probe"))
        assert (made.value, made.quality) == (None, Quality.ERROR)
        assert "0 to 100 V" in reason(made)

    def test_a_library_that_keeps_failing_rests_until_it_changes(self) -> None:
        asked: list[float] = []

        def fail(raw: float, parameters: Mapping[str, float]) -> Converted:
            asked.append(raw)
            return explode(raw, parameters)

        runner = LibraryRunner(Catalog({"probe": (library(fail),)}))
        for _ in range(MOST_FAILURES + 5):
            made = runner.measure(sample("probe"))
        assert len(asked) == MOST_FAILURES
        assert "keeps failing" in reason(made)
        assert runner.failures["probe"] == MOST_FAILURES
        runner.swap(Catalog({"probe": (library(),)}))
        assert runner.measure(sample("probe", 5.0)).mode is ProcessingMode.PI_ENHANCED

    def test_what_is_known_of_a_sensor_counts(self) -> None:
        runner = LibraryRunner(BUILT_IN)
        assert runner.measure(sample("ds18b20", 344.0), {"offset": -0.5}).value == 21.0
        acid = runner.measure(sample("ph", 1861.0), {"slope": -5.66, "offset": 15.49})
        assert (acid.value, acid.quality) == (7.0, Quality.GOOD)

    def test_a_parameter_that_cannot_be_is_told_and_costs_no_library_its_good_name(self) -> None:
        runner = LibraryRunner(BUILT_IN)
        for _ in range(MOST_FAILURES + 1):
            made = runner.measure(sample("ds18b20", 344.0), {"offset": 99.0})
        assert (made.value, made.quality) == (None, Quality.BAD)
        assert "offset is 99.0, but must be -10 to 10 °C" in reason(made)
        assert runner.failures == {}

    def test_a_pressure_without_trim_words_is_bad_and_says_so(self) -> None:
        made = measure("bmp280_pressure", 6_642_368)
        assert (made.value, made.quality, made.unit) == (None, Quality.BAD, "hPa")
        assert "dig_P1" in reason(made)

    def test_a_success_in_between_starts_the_count_anew(self) -> None:
        def fussy(raw: float, parameters: Mapping[str, float]) -> Converted:
            return explode(raw, parameters) if raw else Converted(raw, Quality.GOOD)

        runner = LibraryRunner(Catalog({"probe": (library(fussy),)}))
        for raw in (1.0, 1.0, 0.0) * 5:
            runner.measure(sample("probe", raw))
        assert runner.failures["probe"] == 10
        assert runner.measure(sample("probe", 0.0)).mode is ProcessingMode.PI_ENHANCED


SOURCE = """
from sensor_libs.api import FLOAT, Converted, Quality, Range, SensorLibrary, Vector

LIBRARIES = (
    SensorLibrary(
        name="probe", version="1.0.0", sensor_types=("probe",), raw=FLOAT, unit="V", decimals=1,
        valid=Range(0, 100), typical=Range(10, 90), source="made up",
        convert=lambda raw, _: Converted(raw * 2, Quality.GOOD),
        vectors=(Vector(1, 2.0, Quality.GOOD),),
    ),
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probe.py").write_text(SOURCE)
    return tmp_path


def doubled(catalog: Catalog) -> float | None:
    return LibraryRunner(catalog).measure(sample("probe", 5.0)).value


class TestLoader:
    def test_a_file_becomes_libraries(self, folder: Path) -> None:
        catalog = load(folder)
        assert catalog.broken == {}
        assert doubled(catalog) == 10.0

    def test_a_change_is_seen_even_when_size_and_time_are_the_same(self, folder: Path) -> None:
        path = folder / "probe.py"
        before = load(folder)
        times = path.stat()
        path.write_text(SOURCE.replace("raw * 2", "raw * 3").replace("1, 2.0", "1, 3.0"))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        after = load(folder, before)
        assert (doubled(before), doubled(after)) == (10.0, 15.0)
        assert list(folder.iterdir()) == [path]

    @pytest.mark.parametrize(
        ("source", "why"),
        [
            ("LIBRARIES = (", "SyntaxError"),
            ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("import no_such_module", "no_such_module"),
            ("", "defines no tuple LIBRARIES"),
            ("LIBRARIES = ()", "defines no tuple LIBRARIES"),
            ("LIBRARIES = (1,)", "no SensorLibrary"),
            ("\x00", "null bytes"),
            (SOURCE.replace("raw * 2", "raw * 3"), "1 gives 3.0 GOOD, but must give 2.0 GOOD"),
            (SOURCE.replace("2.0, Quality.GOOD)", "2.0, Quality.FAIR)"), "must give 2.0 FAIR"),
            (SOURCE.replace("raw * 2, Q", "'two', Q"), "TypeError"),
            (SOURCE.replace('version="1.0.0"', 'version="new"'), "'new' is no version"),
            (SOURCE.replace('name="probe"', 'name="Probe 1"'), "'Probe 1' is no name"),
            (SOURCE.replace('("probe",)', '("PH_Sensor",)'), "'PH_Sensor' is known as 'ph'"),
            (SOURCE.replace('("probe",)', "()"), "must not be empty"),
            (SOURCE.replace("(Vector(1, 2.0, Quality.GOOD),)", "()"), "must not be empty"),
            (SOURCE.replace("typical=Range(10, 90)", "typical=Range(10, 900)"), "typical"),
        ],
    )
    def test_a_broken_file_keeps_what_worked_and_says_why(
        self, folder: Path, source: str, why: str
    ) -> None:
        before = load(folder)
        (folder / "probe.py").write_text(source)
        after = load(folder, before)
        assert why in after.broken["probe"]
        assert doubled(after) == 10.0
        (folder / "probe.py").write_text(SOURCE)
        assert load(folder, after).broken == {}

    def test_a_broken_file_that_never_worked_offers_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "probe.py").write_text("nonsense")
        catalog = load(tmp_path)
        assert catalog.by_type == {}
        assert "NameError" in catalog.broken["probe"]

    def test_a_file_that_is_gone_takes_its_libraries_with_it(self, folder: Path) -> None:
        before = load(folder)
        (folder / "probe.py").unlink()
        assert load(folder, before).by_type == {}

    def test_two_files_cannot_read_the_same_sensors(self, folder: Path) -> None:
        (folder / "second.py").write_text(SOURCE.replace('name="probe"', 'name="second"'))
        catalog = load(folder)
        assert "probe belongs to probe already" in catalog.broken["second"]
        assert catalog.by_type["probe"].name == "probe"

    def test_a_new_file_cannot_take_sensors_from_one_that_works(self, folder: Path) -> None:
        before = load(folder)
        (folder / "another.py").write_text(SOURCE.replace('name="probe"', 'name="another"'))
        after = load(folder, before)
        assert "probe belongs to probe already" in after.broken["another"]
        assert after.by_type["probe"].name == "probe"

    def test_one_file_cannot_read_the_same_sensors_twice(self, folder: Path) -> None:
        (folder / "probe.py").write_text(SOURCE + "LIBRARIES = LIBRARIES * 2")
        assert "probe is named more than once" in load(folder).broken["probe"]

    def test_files_with_a_leading_underscore_are_none(self, folder: Path) -> None:
        (folder / "_notes.py").write_text("raise RuntimeError")
        assert load(folder).broken == {}

    def test_a_users_file_goes_before_those_of_the_server(self, folder: Path) -> None:
        own = folder / "own"
        own.mkdir()
        (own / "probe.py").write_text(
            SOURCE.replace('name="probe"', 'name="better"').replace("* 2", "* 2 + 0")
        )
        catalog = load(folder, own=own)
        assert catalog.broken == {}
        assert catalog.own == {"own/probe"}
        assert catalog.paths["own/probe"] == own / "probe.py"
        assert catalog.by_type["probe"].name == "better"
        assert load(folder).by_type["probe"].name == "probe"

    def test_names_are_unique_for_they_stand_in_readings(self, folder: Path) -> None:
        own = folder / "own"
        own.mkdir()
        (own / "mine.py").write_text(SOURCE)
        catalog = load(folder, own=own)
        assert "the name probe belongs to probe already" in catalog.broken["own/mine"]

    def test_an_alias_leads_to_its_library(self, folder: Path) -> None:
        text = SOURCE.replace('unit="V"', 'aliases=("antenna",), unit="V"')
        (folder / "probe.py").write_text(text)
        assert load(folder).by_type["antenna"].name == "probe"

    def test_a_directory_that_is_not_there_has_no_libraries(self, folder: Path) -> None:
        assert load(folder, own=folder / "none").by_type.keys() == {"probe"}

    def test_a_file_that_cannot_be_read_says_why(self, folder: Path) -> None:
        (folder / "directory.py").mkdir()
        assert "cannot be read" in load(folder).broken["directory"]

    def test_a_catalog_never_changes(self, folder: Path) -> None:
        catalog = load(folder)
        for mapping in (catalog.files, catalog.broken, catalog.paths, catalog.by_type):
            with pytest.raises(TypeError):
                mapping["probe"] = ()  # type: ignore[index]  # that is what is tested
