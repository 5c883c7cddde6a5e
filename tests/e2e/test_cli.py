"""The command line: what it says, what it refuses, and how its commands end."""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from app.security import Argon2Passwords
from domain.errors import UnauthenticatedError
from domain.services.accounts import Accounts
from domain.users import Role
from mqtt_bridge.session import BrokerAddress, MqttSession
from storage.connection import Database
from tests.e2e.command_line import Foreground, Outcome, run, running_in
from tests.e2e.load import quick_guard
from tests.e2e.server import ROOT, ServerProcess, free_port
from tests.eventually import eventually
from tests.fakes import FakeTokens

COMMANDS = ("serve", "demo", "simulate", "migrate", "create-admin", "export-schema", "library")

PASSWORD, SHORT, OTHER = "a good one", "short", "another good one"


def complaint(outcome: Outcome) -> str:
    """Return the only line on standard error that is not of the log."""
    (line,) = [line for line in outcome.complained.splitlines() if not line.startswith("{")]
    assert outcome.code == 2
    assert line.startswith("kaiser: ")
    return line


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


# ---------------------------------------------------------------- what it says


async def test_help_names_every_command_and_tells_where_to_begin() -> None:
    outcome = await run("--help")
    assert outcome.code == 0
    assert "Usage: ./kaiser " in outcome.said
    assert "New here? `./kaiser demo`" in outcome.said
    listed = outcome.said.partition("Commands:")[2].splitlines()
    told = dict(line.split(maxsplit=1) for line in listed if line.strip())
    assert tuple(told) == COMMANDS
    assert all(text.endswith(".") and "..." not in text for text in told.values()), told


async def test_every_command_explains_itself() -> None:
    outcomes = await asyncio.gather(*(run(command, "--help") for command in COMMANDS))
    for command, outcome in zip(COMMANDS, outcomes, strict=True):
        assert outcome.code == 0
        assert f"Usage: ./kaiser {command} " in outcome.said


async def test_the_schema_is_printed_as_it_is_checked_in() -> None:
    outcome = await run("export-schema")
    assert outcome.code == 0
    assert outcome.said == (ROOT / "schema/schema.graphql").read_text()


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KAISER_HTTP_PORT", "many", ["KAISER_HTTP_PORT", "'many'", "a port, 1 to 65535"]),
        ("KAISER_DISCOVERY", "maybe", ["KAISER_DISCOVERY", "approve", "or auto"]),
        ("KAISER_MQTT_URL", "http://x", ["KAISER_MQTT_URL", "mqtt://user:password@host:1883"]),
        ("KAISER_HTTP_PROT", "8000", ["KAISER_HTTP_PROT", "did you mean KAISER_HTTP_PORT?"]),
    ],
)
async def test_a_wrong_setting_is_named_with_what_it_accepts(
    directory: Path, name: str, value: str, words: list[str]
) -> None:
    settings = {"KAISER_DATA_DIR": str(directory / "data"), name: value}
    line = complaint(await run("serve", settings=settings))
    assert all(word in line for word in words), line
    assert not (directory / "data").exists()


@pytest.mark.parametrize(
    ("command", "name"), [("serve", "KAISER_HTTP_PORT"), ("demo", "KAISER_MQTT_PORT")]
)
async def test_a_port_that_is_taken_is_told(
    directory: Path, taken: str, command: str, name: str
) -> None:
    settings = {
        "KAISER_DATA_DIR": str(directory / "data"),
        "KAISER_DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "KAISER_HTTP_PORT": str(free_port()),
        name: taken,
    }
    line = complaint(await run(command, settings=settings))
    assert line.startswith(f"kaiser: {name}: port {taken} is in use by another program")
    assert "choose another port" in line
    assert running_in(directory) == []


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_a_directory_that_cannot_be_written_is_told(directory: Path, command: str) -> None:
    file = directory / "file"
    file.touch()
    outcome = await run(command, settings={"KAISER_DATA_DIR": str(file / "data")})
    line = complaint(outcome)
    assert f"KAISER_DATA_DIR: cannot write in {file}/data" in line
    assert "choose another directory" in line


async def test_a_database_that_is_away_is_told(directory: Path) -> None:
    settings = {
        "KAISER_DATA_DIR": str(directory / "data"),
        "KAISER_DATABASE_URL": f"postgres://nobody:secret@127.0.0.1:{free_port()}/nothing",
    }
    line = complaint(await run("migrate", settings=settings))
    assert line.startswith("kaiser: KAISER_DATABASE_URL: ")
    assert "secret" not in line


# ---------------------------------------------------------------- the database


async def test_migrate_makes_the_tables_and_is_harmless_to_repeat(
    directory: Path, empty_database_url: str
) -> None:
    settings = {
        "KAISER_DATA_DIR": str(directory / "data"),
        "KAISER_DATABASE_URL": empty_database_url,
    }
    for _ in range(2):
        outcome = await run("migrate", settings=settings)
        assert (outcome.code, outcome.said) == (0, "the database has the newest form\n")
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM reading") == 0
    finally:
        await connection.close()


async def test_an_administrator_is_made_and_gets_another_password(
    directory: Path, database: Database, database_url: str
) -> None:
    settings = {"KAISER_DATA_DIR": str(directory / "data"), "KAISER_DATABASE_URL": database_url}
    accounts = Accounts(
        storage=database,
        passwords=Argon2Passwords(),
        tokens=FakeTokens(),
        clock=SystemClock(),
        new_id=uuid7,
    )

    async def create(*words: str, password: str) -> Outcome:
        return await run("create-admin", *words, settings=settings, typed=f"{password}\n")

    unknown, short = await asyncio.gather(
        create("bob", "--reset", password=PASSWORD), create("bob", password=SHORT)
    )
    assert "there is no account bob" in complaint(unknown)
    assert "8 to 1024 characters" in complaint(short)
    made = await create("bob", password=PASSWORD)
    assert (made.code, made.said) == (0, "bob may log in with the new password\n")
    assert (await accounts.login("bob", PASSWORD)).user.role is Role.ADMIN
    assert "the name bob is taken" in complaint(await create("bob", password=PASSWORD))
    changed = await create("bob", "--reset", password=OTHER)
    assert changed.code == 0
    await accounts.login("bob", OTHER)
    with pytest.raises(UnauthenticatedError):
        await accounts.login("bob", PASSWORD)


# ---------------------------------------------------------------- virtual devices


async def test_virtual_devices_are_heard_until_ctrl_c(
    directory: Path, broker: EmbeddedBroker, server: ServerProcess
) -> None:
    heard: Counter[str] = Counter()
    listener = MqttSession(
        address=BrokerAddress.from_url(broker.url),
        client_id="a-test-listener",
        filters=[("kaiser/+/esp/+/sensor/+/data", 0)],
        deliver=lambda delivery: heard.update([delivery.topic.split("/")[3]]),
        guard=quick_guard("listener"),
        clean=True,
    )
    words = ("simulate", "--devices", "5", "--interval", "0.5", "--mqtt-url", broker.url)
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listener.run())
        await eventually(lambda: listener.connected)
        async with Foreground(directory / "simulate.log", *words, settings={}) as devices:
            await eventually(
                lambda: sum(count > 3 for count in heard.values()) == 5,
                what="all five devices are heard again and again",
            )
            await devices.until_said("5/5 devices")
            assert await devices.interrupt() == 0
        listening.cancel()


async def test_virtual_devices_without_a_broker_say_so(directory: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    words = ("simulate", "--devices", "2", "--mqtt-url", f"mqtt://{nobody}")
    async with Foreground(directory / "simulate.log", *words, settings={}) as devices:
        await devices.until_said(f"not connected: {nobody}: ")
        assert "refused; trying again" in devices.said
        assert await devices.interrupt() == 0


async def test_virtual_devices_need_an_address_that_is_one() -> None:
    assert "--mqtt-url: an MQTT URL reads mqtt://host:port" in complaint(
        await run("simulate", "--mqtt-url", "http://127.0.0.1")
    )
