"""The contract is in git: printed, whole, explained, and the same as what the server answers."""

from enum import Enum
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_specified_scalar_type,
)
from graphql import build_schema as read_sdl

from app.graphql import build_schema
from domain import actuators, devices, sensors, system_events, users

PRINTED = Path(__file__).parents[2] / "schema" / "schema.graphql"
SCHEMA = build_schema()._schema
TYPES = [
    kind
    for name, kind in SCHEMA.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(kind)
]
Described = GraphQLNamedType | GraphQLField | GraphQLInputField | GraphQLArgument


def described() -> dict[str, Described]:
    """Name everything of the contract that a client can come across."""
    found: dict[str, Described] = {}
    for kind in TYPES:
        found[kind.name] = kind
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                found[f"{kind.name}.{name}"] = field
                for argument, definition in field.args.items():
                    found[f"{kind.name}.{name}({argument})"] = definition
        elif isinstance(kind, GraphQLInputObjectType):
            found.update({f"{kind.name}.{name}": field for name, field in kind.fields.items()})
    return found


def test_the_printed_contract_is_what_the_server_answers() -> None:
    assert PRINTED.read_text() == build_schema().as_str() + "\n", (
        "schema/schema.graphql is out of date: run ./kaiser export-schema > schema/schema.graphql"
    )


def test_the_printed_contract_can_be_read_by_others() -> None:
    assert set(read_sdl(PRINTED.read_text()).type_map) == set(SCHEMA.type_map)


def test_the_schema_can_be_built_any_number_of_times() -> None:
    assert build_schema().as_str() == build_schema().as_str()


@pytest.mark.parametrize(("name", "part"), described().items())
def test_everything_is_explained(name: str, part: Described) -> None:
    assert part.description
    assert part.description.strip()[-1] in ".`", f"{name}: {part.description}"


@pytest.mark.parametrize(
    "kind",
    [
        *(devices.DeviceStatus, sensors.Quality, sensors.ProcessingMode, users.Role),
        *(actuators.ActuatorMode, actuators.EmergencyPhase, actuators.CommandAction),
        *(actuators.CommandStatus, actuators.CommandOrigin),
        system_events.Severity,
    ],
)
def test_enums_spell_what_the_domain_spells(kind: type[Enum]) -> None:
    shown = SCHEMA.type_map[kind.__name__]
    assert isinstance(shown, GraphQLEnumType)
    assert list(shown.values) == list(kind.__members__)
