"""What growers are told to type can be typed."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from app.graphql import build_schema
from domain.calibration_fits import fit
from domain.calibrations import CalibrationMethod
from sensor_libs.loader import load_built_in

PAGE = (Path(__file__).parents[2] / "docs" / "CALIBRATION.md").read_text()
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_fits_the_schema(document: str) -> None:
    assert validate(build_schema()._schema, parse(document)) == []


def test_every_method_that_it_names_is_one() -> None:
    named = set(re.findall(r"`(ph_\w+|ec_\w+|dry_\w+|zero|offset|factor)`", PAGE))
    known = {each.method for one in load_built_in().by_type.values() for each in one.calibrations}
    assert named <= {method.value for method in CalibrationMethod} & set(known)
    assert len(named) == 7


def test_every_finding_that_it_explains_is_one_and_none_is_left_out() -> None:
    source = Path(fit.__code__.co_filename).read_text()
    codes = set(re.findall(r'^ +"([a-z]+_[a-z]+)",$', source, re.MULTILINE))
    assert codes == set(re.findall(r"^\| `(\w+_(?:low|high|off))` \|", PAGE, re.MULTILINE))
