"""The author of a library is told what is wrong with it, where, and what to do."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.library_commands import check_library
from app.settings import PROJECT
from sensor_libs.check import Report, check
from sensor_libs.loader import BUILT_IN, load_built_in, read_file, read_folder

GUIDE = (PROJECT / "docs" / "SENSOR_LIBRARIES.md").read_text()
EXAMPLE = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[0]

GOOD = """\
from sensor_libs.api import FLOAT, OFFSET, Converted, Quality, Range, SensorLibrary, Vector


def convert(raw, parameters):
    return Converted(raw * 2 + parameters["offset"], Quality.GOOD)


LIBRARIES = (
    SensorLibrary(
        name="probe",
        version="1.0.0",
        sensor_types=("probe",),
        raw=FLOAT,
        unit="V",
        decimals=1,
        valid=Range(0, 100),
        typical=Range(10, 90),
        source="made up",
        convert=convert,
        parameters=(OFFSET,),
        vectors=(
            Vector(1, 2.0, Quality.GOOD),
            Vector(1, 3.0, Quality.GOOD, {"offset": 1}),
            Vector(51, None, Quality.ERROR),
        ),
    ),
)
"""


def report(folder: Path, text: str) -> Report:
    path = folder / "probe.py"
    path.write_text(text)
    return check(read_file(path, is_built_in=False), load_built_in())


def test_a_good_library_gives_no_cause_for_complaint(tmp_path: Path) -> None:
    made = report(tmp_path, GOOD)
    assert made.findings == []
    assert made.is_good
    assert [library.name for library in made.libraries] == ["probe"]
    assert 0 < made.seconds["probe"] < 0.01


def test_the_example_of_the_guide_is_complete_and_about_thirty_lines_long(tmp_path: Path) -> None:
    assert len(EXAMPLE.splitlines()) <= 32
    made = report(tmp_path, EXAMPLE)
    assert made.findings == []
    assert [library.name for library in made.libraries] == ["lm35"]


@pytest.mark.parametrize("source", read_folder(BUILT_IN), ids=lambda source: source.file)
def test_the_libraries_of_the_server_follow_their_own_advice(source: object) -> None:
    assert check(source).findings == []  # type: ignore[arg-type]  # parametrize has no types


@pytest.mark.parametrize(
    ("wrong", "line", "says"),
    [
        ("LIBRARIES = (", 1, "no Python"),
        ("import no_such_module", 1, "no_such_module"),
        ("\nraise SystemExit(3)", 2, "SystemExit: 3"),
        ("", None, "end it with LIBRARIES"),
        (GOOD.replace('"1.0.0"', '"one"'), 11, "three numbers"),
        (GOOD.replace('name="probe"', 'name="Probe"'), 10, "lower case"),
        (GOOD.replace("Range(10, 90)", "Range(10, 900)"), 17, "does not lie within valid"),
        (GOOD.replace('("probe",)', '"probe"'), 12, "must be a tuple"),
        (GOOD.replace("raw=FLOAT", "raw=12"), 13, "must be a RawForm"),
        (GOOD.replace("raw=FLOAT", "raw=None"), 9, "companions to compute from"),
        (GOOD.replace("convert=convert", "convert=1"), 19, "must be a function"),
        (GOOD.replace("decimals=1", "decimals=9"), 15, "0 to 6"),
        (GOOD.replace("(OFFSET,)", "(OFFSET, OFFSET)"), 20, "more than once"),
        (GOOD.replace("OFFSET,)", "OFFSET._replace(default=1e9),)"), 20, "its default"),
        (GOOD.replace("OFFSET,)", "OFFSET._replace(low=9e9),)"), 20, "below its high"),
        (GOOD.replace("    version", "    verse"), 9, "verse"),
        (GOOD.replace("* 2", "* 3"), 22, "1 gives 3.0 GOOD, but must give 2.0 GOOD"),
        (GOOD.replace("Vector(51, None", "Vector(50, None"), 24, "50 gives 100.0 GOOD"),
        (GOOD.replace("raw * 2", "1 / (raw - raw)"), 5, "ZeroDivisionError"),
        (GOOD.replace('["offset"]', '["shift"]'), 5, "KeyError"),
        (GOOD.replace("Quality.GOOD)\n\n", '"good")\n\n'), 19, "is no Quality"),
        (GOOD.replace('name="probe"', 'name="ph"'), 10, "names are unique"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, wrong: str, line: int | None, says: str
) -> None:
    made = report(tmp_path, wrong)
    assert not made.is_good
    assert [f.line for f in made.findings if says in f.says] == [line], made.findings


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = GOOD.replace('"1.0.0"', '"one"').replace('"made up"', '""').replace("=1,", "=-1,")
    assert [f.line for f in report(tmp_path, wrong).findings] == [11, 18, 15]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace('            Vector(1, 3.0, Quality.GOOD, {"offset": 1}),\n', ""), "offset"),
        (GOOD.replace("            Vector(51, None, Quality.ERROR),\n", ""), "must give no value"),
        (GOOD.replace('("probe",)', '("ph",)'), "this library goes first"),
        (GOOD.replace('unit="V"', 'unit="parsec"'), "'parsec' is no unit known here"),
        (GOOD.replace("    return", "    sum(range(20_000))\n    return"), "less than 20"),
    ],
)
def test_advice_does_not_keep_a_library_out(tmp_path: Path, text: str, says: str) -> None:
    made = report(tmp_path, text)
    assert made.is_good
    assert [f.is_error for f in made.findings if says in f.says] == [False]


@pytest.mark.parametrize(
    ("convert", "says"),
    [
        ("Converted(None, Quality.ERROR)", "give one"),
        ("Converted(next(COUNT), Quality.GOOD)", "another result each time"),
        ("Converted(2, Quality.ERROR, 'odd')", "give None"),
    ],
)
def test_what_no_vector_would_notice_is_told(tmp_path: Path, convert: str, says: str) -> None:
    text = GOOD.replace(
        "LIBRARIES = (", "from itertools import count\nCOUNT = count()\nLIBRARIES = ("
    )
    text = text.replace("    return", f"    if raw > 1000:\n        return {convert}\n    return")
    text = text.replace("raw=FLOAT", "raw=FLOAT._replace(low=0, high=2000)")
    assert any(says in finding.says for finding in report(tmp_path, text).findings)


def test_the_command_says_what_is_next(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "probe.py"
    path.write_text(GOOD)
    assert check_library(path, None, say=said.append)
    assert "probe 1.0.0 is good: 3 vectors" in said[0]
    assert "KAISER_SENSOR_LIBRARIES" in said[1]
    path.write_text(GOOD.replace("* 2", "* 3"))
    said.clear()
    assert not check_library(path, tmp_path, say=said.append)
    assert said[0].startswith(f"{path}:22: error: ")
    assert "would not load" in said[-1]


def test_the_commands_end_with_a_code_that_scripts_understand(tmp_path: Path) -> None:
    path = tmp_path / "probe.py"
    path.write_text(GOOD)
    runner = CliRunner(env={"KAISER_SENSOR_LIBRARIES": str(tmp_path)})
    assert runner.invoke(cli, ["library", "check", str(path)]).exit_code == 0
    path.write_text(GOOD.replace("* 2", "* 3"))
    assert runner.invoke(cli, ["library", "check", str(path)]).exit_code == 1
    assert runner.invoke(cli, ["library", "check", str(tmp_path / "none.py")]).exit_code == 2


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("ends.py", "import os\nos._exit(0)", "ends the process that runs it, with code 0"),
        ("dies.py", "import os\nos.kill(os.getpid(), 9)", "process that runs it, by SIGKILL"),
        ("eats.py", "x = bytearray(1_000_000_000)\n", "eats.py:1: error: the file does not run"),
        ("probe.txt", GOOD, "files that end in .py and do not begin with _"),
        ("_probe.py", GOOD, "files that end in .py and do not begin with _"),
    ],
)
def test_what_the_server_would_not_survive_or_never_read_is_told(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    said: list[str] = []
    path = tmp_path / name
    path.write_text(text)
    assert not check_library(path, None, say=said.append)
    assert says in said[0]
    assert "would not load" in said[-1]
