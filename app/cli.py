"""The command line: what a person or a service manager starts.

Imports wait until a command needs them, so that `--help` and wrong settings answer at once.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from getpass import getpass
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from app.errors import SettingsError, StartError
from app.logs import LogFormat, set_up_logs
from app.settings import PROJECT, Settings, load_settings

WRONG_SETTING = 2
"""Exit code when the operator has to change something before the next start."""

DIED = 1
"""Exit code when a part died while the server ran."""

cli = typer.Typer(
    name="kaiser",
    help="The server at the centre of a greenhouse of ESP32 boards.\n\n"
    "New here? `./kaiser demo` starts everything with a simulated greenhouse. `./kaiser setup` "
    "only installs what it needs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@cli.command()
def serve() -> None:
    """Run the server.

    Settings come from KAISER_… variables and from .env; .env.example says what there is.
    """
    settings = _settings()
    from app.serve import serve as run_server  # noqa: PLC0415 - heavy, see above
    from app.wiring import Told  # noqa: PLC0415 - heavy, see above

    _show_on_log(settings)
    _run(lambda: run_server(settings, Told(password=_announce_password)))


@cli.command()
def demo() -> None:
    """Run the server with a simulated greenhouse.

    Three devices, moving values, working pumps; nothing has to be set up first. Everything stays
    on this computer. Ctrl-C ends all of it.
    """
    settings = _settings(is_demo=True)
    from app.demo import demo as run_demo  # noqa: PLC0415 - heavy, see above

    _run(lambda: run_demo(settings, say=_say))


@cli.command()
def simulate(
    mqtt_url: Annotated[
        str, typer.Option(help="The broker: mqtt://host:port")
    ] = "mqtt://127.0.0.1:1883",
    devices: Annotated[int, typer.Option(min=1, max=10_000, help="How many devices")] = 10,
    interval: Annotated[
        float, typer.Option(min=0.05, max=3600, help="Seconds between two readings of a sensor")
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same values")] = 1,
) -> None:
    """Run virtual devices against any broker.

    Says once a second what they did. Ctrl-C ends them.
    """
    from app.simulate import simulate as run_fleet  # noqa: PLC0415 - heavy, see above

    set_up_logs("WARNING", _log_format("auto"))
    _run(
        lambda: run_fleet(
            mqtt_url=mqtt_url, devices=devices, interval=interval, seed=seed, say=_say
        )
    )


@cli.command()
def migrate() -> None:
    """Bring the database to the newest form.

    `serve` and `demo` do the same at every start.
    """
    settings = _settings()
    from app.maintenance import migrate as run_migrations  # noqa: PLC0415 - heavy, see above

    _run(lambda: run_migrations(settings, say=_say))


@cli.command("create-admin")
def create_admin(
    username: Annotated[str, typer.Argument(help="Who may do everything from now on")],
    *,
    reset: Annotated[
        bool, typer.Option("--reset", help="The account exists: give it a new password")
    ] = False,
) -> None:
    """Make an administrator, or give one a new password.

    Asks for the password, or reads it from standard input where that is no terminal.
    """
    settings = _settings()
    from app.maintenance import create_admin as run_create  # noqa: PLC0415 - heavy, see above

    password = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if sys.stdin.isatty() and getpass("Once more: ") != password:
        _fail("the two passwords differ; nothing was changed", WRONG_SETTING)
    _run(lambda: run_create(settings, username, password, reset=reset, say=_say))


class Contract(StrEnum):
    """What can be printed."""

    GRAPHQL = "graphql"
    MQTT = "mqtt"
    MQTT_TOPICS = "mqtt-topics"


@cli.command("export-schema")
def export_schema(
    what: Annotated[
        Contract,
        typer.Argument(
            help="graphql: the SDL; mqtt: JSON Schema of every message; "
            "mqtt-topics: topics and firmware generations, in Markdown"
        ),
    ] = Contract.GRAPHQL,
) -> None:
    """Print the GraphQL schema (SDL), or the MQTT contract."""
    if what is Contract.GRAPHQL:
        from app.graphql import build_schema  # noqa: PLC0415 - heavy, see above

        typer.echo(build_schema().as_str())
        return
    from mqtt_bridge import contract  # noqa: PLC0415 - heavy, see above

    page = what is Contract.MQTT_TOPICS
    typer.echo(contract.topics_page() if page else contract.schema_text(), nl=False)


library = typer.Typer(
    help="Check and list sensor libraries.", no_args_is_help=True, rich_markup_mode=None
)
cli.add_typer(library, name="library")


@library.command("check")
def library_check(
    file: Annotated[
        Path, typer.Argument(help="A library file", exists=True, dir_okay=False, readable=True)
    ],
) -> None:
    """Say what is wrong with a library file.

    Runs it, its vectors, and everything that its chip can say. Ends with 0 when the server would
    load it, else with 1.
    """
    own = _settings().sensor_libraries
    from app.library_commands import check_library  # noqa: PLC0415 - heavy, see above

    if not check_library(file, own, say=_say):
        raise SystemExit(1)


@library.command("list")
def library_list() -> None:
    """List the sensor libraries: name, version, unit, and the sensor types that each reads."""
    own = _settings().sensor_libraries
    from app.library_commands import list_libraries  # noqa: PLC0415 - heavy, see above

    list_libraries(own, say=_say)


def main() -> None:
    """Run a command; an expected failure is one line on standard error."""
    cli(prog_name="./kaiser")


def _settings(*, is_demo: bool = False) -> Settings:
    try:
        settings = load_settings(os.environ, PROJECT / ".env", demo=is_demo)
    except SettingsError as error:
        _fail(str(error), WRONG_SETTING)
    set_up_logs(settings.log_level.upper(), _log_format(settings.log_format))
    return settings


def _log_format(wanted: Literal["auto", "json", "console"]) -> LogFormat:
    if wanted == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return wanted


def _show_on_log(settings: Settings) -> None:
    import structlog  # noqa: PLC0415 - heavy, see above

    log = structlog.get_logger()
    for line in settings.describe():
        log.info("setting", name=line.name, value=line.value, source=line.source)


def _announce_password(password: str) -> None:
    _say("")
    _say("  The first administrator is `admin`. The password is shown this once:")
    _say(f"      {password}")
    _say("")


def _run(work: Callable[[], Coroutine[None, None, None]]) -> None:
    import uvloop  # noqa: PLC0415 - heavy, see above

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work())
    except StartError as error:
        _fail(str(error), WRONG_SETTING)
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # what a shell expects of a program ended by Ctrl-C
    except BaseExceptionGroup as group:
        if starts := group.subgroup(StartError):
            _fail(str(_first(starts)), WRONG_SETTING)
        import structlog  # noqa: PLC0415 - heavy, see above

        structlog.get_logger().critical("server.died", exc_info=group)
        raise SystemExit(DIED) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()


def _fail(reason: str, code: int) -> NoReturn:
    typer.echo(f"kaiser: {reason}", err=True)
    raise SystemExit(code)
