"""What a person asks about libraries from a shell, with files that would end whoever runs them."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.library_commands import check_library, list_libraries
from sensor_libs.loader import BUILT_IN, load_built_in

OWN = """
from sensor_libs.api import FLOAT, Converted, Quality, Range, SensorLibrary, Vector

LIBRARIES = (
    SensorLibrary(
        name="probe", version="1.0.0", sensor_types=("probe",), raw=FLOAT, unit="V", decimals=1,
        valid=Range(0, 1000), typical=Range(10, 90), source="made up",
        convert=lambda raw, _: Converted(raw * 2, Quality.GOOD),
        vectors=(Vector(1, 2.0, Quality.GOOD),),
    ),
)
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "NameError"),
        ("import os; os._exit(7)", "exit code 7"),
        ("bytearray(2 * 2**30)", "MemoryError"),
    ],
)
def test_the_list_shows_every_library_and_every_broken_file(
    tmp_path: Path, text: str, reason: str
) -> None:
    said: list[str] = []
    (tmp_path / "broken.py").write_text(text)
    list_libraries(tmp_path, say=said.append)
    names = {library.name for files in load_built_in().files.values() for library in files}
    assert {line.split()[0] for line in said[:-1]} == names
    assert reason in said[-1]
    assert str(tmp_path / "broken.py") in said[-1]


def test_ones_own_libraries_are_marked_in_the_list(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(OWN)
    runner = CliRunner(env={"KAISER_SENSOR_LIBRARIES": str(tmp_path)})
    listed = runner.invoke(cli, ["library", "list"])
    assert listed.exit_code == 0
    assert re.search(r"^probe +1\.0\.0 +V +own +probe$", listed.output, re.MULTILINE)


def test_a_hostile_neighbour_does_not_hurt_the_check_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import os; os._exit(7)")
    said: list[str] = []
    assert check_library(BUILT_IN / "ph.py", tmp_path, say=said.append)
    assert "is good" in said[0]
