"""What can never be meant is refused with the name of the argument, before the database sees it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from schema.checks import DEEPEST, HIGHEST_PIN, check
from tests.fakes import until
from tests.graphql_server import GraphqlServer, code_of

NUL = "a\x00b"


SET = (
    'mutation($g: Int!) { setActuator(input: {espId: "x", gpio: 1, actuatorType: "valve", '
    "auxGpio: %s}) { name } }"
)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("query($v: String!) { device(espId: $v) { espId } }", "espId"),
        ("query($v: String!) { devices(search: $v) { edges { cursor } } }", "search"),
        ("query($v: String!) { sensors(sensorType: $v) { edges { cursor } } }", "sensorType"),
        ("mutation($v: String!) { login(username: $v, password: $v) { accessToken } }", "username"),
        ("mutation($v: String!) { updateDevice(input: {espId: $v}) { espId } }", "espId"),
        (
            'mutation($v: JSON!) { updateDevice(input: {espId: "x", metadata: [$v]}) { espId } }',
            "metadata",
        ),
    ],
)
@pytest.mark.parametrize(
    ("text", "said"), [(NUL, "the character NUL"), ("\ud83d", "half of a character")]
)
async def test_text_that_no_database_takes_is_refused(
    operation: str, name: str, text: str, said: str
) -> None:
    result = await GraphqlServer().execute(operation, {"v": text})
    assert code_of(result) == "BAD_INPUT"
    assert result.errors
    assert result.errors[0].message.startswith(f"{name} ")
    assert said in result.errors[0].message


@pytest.mark.parametrize("gpio", [-1, HIGHEST_PIN + 1, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ('query($g: Int!) { actuator(espId: "x", gpio: $g) { name } }', "gpio"),
        ('mutation($g: Int!) { scanOneWire(espId: "x", gpio: $g) { event { id } } }', "gpio"),
        (
            'mutation($g: Int!) { sendCommand(input: {espId: "x", gpio: $g, action: ON}) { id } }',
            "gpio",
        ),
        (
            SET % "$g",
            "auxGpio",
        ),
    ],
)
async def test_a_pin_that_no_board_has_is_refused(operation: str, name: str, gpio: int) -> None:
    result = await GraphqlServer().execute(operation, {"g": gpio})
    assert code_of(result) == "BAD_INPUT"
    assert result.errors
    assert result.errors[0].message == f"{name} takes a pin from 0 to {HIGHEST_PIN}, not {gpio}"


async def test_a_subscription_is_refused_too() -> None:
    server = GraphqlServer()
    operation = "subscription($v: String!) { systemEvents(since: $v) { id } }"
    async with server.subscribed(operation, v=NUL) as heard:
        await until(lambda: heard.ended)
    assert code_of(heard.results[0]) == "BAD_INPUT"
    assert server.events.listeners == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text("abc"), part, max_size=3),
    max_leaves=10,
)


@given(JSON.filter(lambda value: "\\x00" not in repr(value)))
def test_whatever_a_database_takes_passes(value: Any) -> None:  # noqa: ANN401 - any JSON
    check({"metadata": value})


@given(JSON)
def test_a_nul_is_found_wherever_it_is(value: Any) -> None:  # noqa: ANN401 - any JSON
    for hidden in ([value, NUL], {"a": value, NUL: 1}, {"a": [{"b": NUL}]}):
        with pytest.raises(BadInputError, match="metadata must not hold"):
            check({"metadata": hidden})


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadInputError, match="metadata is nested too deeply"):
        check({"metadata": value})
    assert DEEPEST < 100
