"""What an operator can set: read from the environment, `.env` and secret files; checked at once.

A plain model, filled by hand and not by pydantic-settings' sources: the start has to tell where
each value came from, refuse names that it does not know, and say what is wrong in one line.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from app.errors import SettingsError
from domain.rules.notation import Defaults
from domain.rules.sun import Place
from domain.services.accounts import PASSWORD_LENGTH

PREFIX = "KAISER_"
PROJECT = Path(__file__).parents[1]

_MASK = "********"
_FROM_FILES = (
    "secret_key",
    "admin_password",
    "database_url",
    "mqtt_url",
    "emergency_token",
    "emergency_broadcast_token",
)
_DEMO = {"discovery": "auto", "log_level": "warning"}
_DATABASE_URL = "postgres://user:password@host:5432/database"


def _address(text: str) -> str:
    return "127.0.0.1" if text == "localhost" else str(ip_address(text))


def _directory(path: Path) -> Path:
    if not str(path).isprintable():
        raise ValueError("unprintable characters")
    return path.expanduser().absolute()


def _url(*schemes: str) -> Callable[[str], str]:
    """Return a check for addresses whose scheme is one of some."""

    def check(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or parts.port == 0:
            raise ValueError(parts.scheme)
        if not parts.hostname and parts.scheme != "memory" and "host=" not in parts.query:
            raise ValueError("no host")
        return text

    return check


def _database(text: str) -> str:
    """Demand a database's name, and settle on the scheme that our database library knows."""
    if not urlsplit(text).path.strip("/"):
        raise ValueError("no database")
    return text.replace("postgresql://", "postgres://", 1)


def _long_enough(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < 32:  # noqa: PLR2004 - RFC 7518, section 3.2
        raise ValueError("too short")
    return key


def _fits(password: SecretStr) -> SecretStr:
    if len(password) not in PASSWORD_LENGTH:
        raise ValueError("length")
    return password


def _token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not (1 <= len(text) <= 64 and text.isascii() and text.isprintable()):  # noqa: PLR2004 - section 1.5
        raise ValueError("not a token")
    return token


def _place(given: object) -> object:
    """Read `52.52,13.41` as a place."""
    if not isinstance(given, str):
        return given
    latitude, longitude = map(float, given.split(","))
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004 - degrees
        raise ValueError("not on this globe")
    return Place(latitude, longitude)


Address = Annotated[str, AfterValidator(_address)]
Port = Annotated[int, Field(ge=1, le=65535)]
Directory = Annotated[Path, AfterValidator(_directory)]
Lower = BeforeValidator(str.lower)


class SettingLine(NamedTuple):
    """One setting as it is shown at the start: secrets masked."""

    name: str
    value: str
    source: str


class Settings(BaseModel):
    """Every setting, checked. Descriptions say what it accepts, titles what none means."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Directory = Field(description="a directory")
    http_host: Address = Field(
        "127.0.0.1", description="an IP address: 127.0.0.1 (this computer), 0.0.0.0 (everybody)"
    )
    http_port: Port = Field(8000, description="a port, 1 to 65535")
    database_url: (
        Annotated[str, AfterValidator(_url("postgres", "postgresql")), AfterValidator(_database)]
        | None
    ) = Field(None, description=_DATABASE_URL, title="embedded PostgreSQL", repr=False)
    postgres_bin: Directory | None = Field(
        None,
        description="the directory of PostgreSQL's programs, such as /usr/lib/postgresql/18/bin",
        title="the programs that come with the server",
    )
    mqtt_url: Annotated[str, AfterValidator(_url("mqtt", "mqtts"))] | None = Field(
        None,
        description="mqtt://user:password@host:1883 or mqtts://user:password@host:8883",
        title="embedded broker",
        repr=False,
    )
    mqtt_host: Address = Field(
        "127.0.0.1", description="an IP address: 127.0.0.1 (this computer), 0.0.0.0 (everybody)"
    )
    mqtt_port: Port = Field(1883, description="a port, 1 to 65535")
    mdns: Annotated[Literal["off", "on"], Lower] = Field("off", description="on or off")
    mqtt_client_id: str = Field(
        "god-kaiser", description="1 to 64 letters, digits, - and _", pattern=r"^[\w-]{1,64}$"
    )
    broadcast_url: Annotated[str, AfterValidator(_url("memory", "redis", "rediss"))] = Field(
        "memory://", description="memory://, redis://host:6379 or rediss://host:6379", repr=False
    )
    secret_key: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        None, description="at least 32 bytes", title="kept in the data directory"
    )
    admin_password: Annotated[SecretStr, AfterValidator(_fits)] | None = Field(
        None,
        description=f"{PASSWORD_LENGTH[0]} to {PASSWORD_LENGTH[-1]} characters",
        title="generated at the first start",
    )
    sensor_libraries: Directory | None = Field(
        None, description="a directory of *.py files", title="only those of the server"
    )
    discovery: Annotated[Literal["approve", "auto"], Lower] = Field(
        "approve", description="approve (an administrator lets new devices in) or auto"
    )
    emergency_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None,
        description="1 to 64 printable ASCII characters",
        title="each device's own espId",
    )
    emergency_broadcast_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None, description="1 to 64 printable ASCII characters", title="none"
    )
    process_rate: int = Field(
        200, description="requests a second, 0 (nobody may) to 100000", ge=0, le=100_000
    )
    calibration_still_seconds: int = Field(10, description="seconds, 1 to 300", ge=1, le=300)
    command_timeout: int = Field(5, description="seconds, 1 to 60", ge=1, le=60)
    offline_after: int = Field(180, description="seconds, 1 to 86400", ge=1, le=86400)
    timezone: ZoneInfo = Field(
        ZoneInfo("UTC"), description="a name of the time zone database, such as Europe/Berlin"
    )
    place: Annotated[Place, BeforeValidator(_place)] | None = Field(
        None,
        description="latitude and longitude in degrees, such as 52.52,13.41",
        title="none: rules that follow the sun say where",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Annotated[Literal["auto", "json", "console"], Lower] = Field(
        "auto", description="json, console, or auto (console on a terminal, else json)"
    )
    sources: Mapping[str, str] = Field(default_factory=dict, repr=False)

    @property
    def defaults(self) -> Defaults:
        """What is meant by a time of day, and by the sun, where nobody says more."""
        return Defaults(time_zone=self.timezone.key, place=self.place)

    def describe(self) -> Sequence[SettingLine]:
        """Return every setting with where it came from, fit to be printed and logged."""
        return [
            SettingLine(_variable(name), self._shown(name), self.sources.get(name, "default"))
            for name in _names()
        ]

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        if value is None:
            return f"({type(self).model_fields[name].title})"
        if isinstance(value, Place):
            return f"{value.latitude:g},{value.longitude:g}"
        return _without_password(str(value)) if name.endswith("_url") else str(value)


class _Found(NamedTuple):
    text: str
    source: str
    variable: str


def load_settings(
    environ: Mapping[str, str], dotenv_path: Path | None = None, *, demo: bool = False
) -> Settings:
    """Read and check all settings. Nothing is written.

    An empty value is none. The environment goes over `.env`.

    Args:
        environ: The environment.
        dotenv_path: A file of `NAME=value` lines; one that does not exist is empty.
        demo: Whether the defaults are those of a demonstration: its data is kept apart, its
            devices are let in, and it writes little.

    Returns:
        The settings.

    Raises:
        SettingsError: One is wrong: names it, and what it accepts.
    """
    places = [("environment", environ), (".env", _read_dotenv(dotenv_path))]
    for place, variables in places:
        _check_names(place, variables)
    found = {name: value for name in _names() if (value := _find(name, places))}
    texts: dict[str, object] = {name: value.text for name, value in found.items()}
    sources = {name: value.source for name, value in found.items()}
    defaults = {"data_dir": _default_data_dir(demo=demo), **(_DEMO if demo else {})}
    try:
        return Settings.model_validate({**defaults, **texts, "sources": sources})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise _refusal(name, found[name]) from None


def _names() -> Sequence[str]:
    return [name for name in Settings.model_fields if name != "sources"]


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _variables() -> Sequence[str]:
    files = [f"{_variable(name)}_FILE" for name in _FROM_FILES]
    return [*map(_variable, _names()), *files]


def _default_data_dir(*, demo: bool) -> Path:
    """Root's is elsewhere: its children run as users who cannot look into root's directories."""
    base = Path("/var/lib/god-kaiser") if os.geteuid() == 0 else PROJECT / "data"
    return base / "demo" if demo else base


def _read_dotenv(path: Path | None) -> Mapping[str, str]:
    """Read a file of variables; a `$` in a value is a dollar."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8") as file:
            lines = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    for line in lines:
        if line.error:
            wrong = f"{path}, line {line.original.line}"
            raise SettingsError(f"{wrong} cannot be read; it accepts NAME=value and # comment")
    return {line.key: line.value for line in lines if line.key and line.value}


def _check_names(place: str, variables: Mapping[str, str]) -> None:
    known = _variables()
    for name in variables:
        if name.startswith(PREFIX) and name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; .env.example lists all settings"
            raise SettingsError(f"{name} ({place}) is no setting{hint}")


def _find(name: str, places: Sequence[tuple[str, Mapping[str, str]]]) -> _Found | None:
    """Find a setting's text in the first place that has it, there or in the file it names."""
    variable = _variable(name)
    for place, variables in places:
        text = variables.get(variable)
        path = variables.get(f"{variable}_FILE") if name in _FROM_FILES else None
        if text and path:
            raise SettingsError(f"{variable} and {variable}_FILE ({place}): set only one of them")
        if text:
            return _Found(text, place, variable)
        if path:
            return _Found(_read_secret(f"{variable}_FILE", path), f"file {path}", variable)
    return None


def _read_secret(variable: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}: {path} cannot be read: {error}") from None
    if not text:
        raise SettingsError(f"{variable}: {path} is empty")
    return text


def _refusal(name: str, found: _Found) -> SettingsError:
    accepts = Settings.model_fields[name].description
    secret = name in _FROM_FILES or name.endswith("_url")
    value = "" if secret else f" {found.text[:80]!r}"
    return SettingsError(
        f"{found.variable} ({found.source}) does not accept{value}: give {accepts}"
    )


def _without_password(url: str) -> str:
    """Mask what is secret in an address."""
    masked = re.sub(r"//([^:/?#]*):[^/?#]*@", rf"//\1:{_MASK}@", url)
    return re.sub(r"([?&]\w*pass\w*=)[^&]*", rf"\1{_MASK}", masked)
