import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.data_directory import kept_secret_key, make_data_directory
from app.errors import SettingsError, StartError
from app.settings import PROJECT, Settings, load_settings
from domain.rules.notation import Defaults
from domain.rules.sun import Place

KEY = "k" * 32


def refusal(environ: dict[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, dotenv)
    text = str(caught.value)
    assert "\n" not in text
    return text


def shown(settings: Settings, name: str) -> tuple[str, str]:
    return next((line.value, line.source) for line in settings.describe() if line.name == name)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_without_any_setting_everything_is_embedded_and_on_loopback() -> None:
    settings = load_settings({})
    assert settings.database_url is None
    assert settings.mqtt_url is None
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert (settings.mqtt_host, settings.mqtt_port) == ("127.0.0.1", 1883)
    assert settings.broadcast_url == "memory://"
    assert settings.discovery == "approve"
    assert settings.command_timeout == 5
    assert settings.offline_after == 180
    assert settings.timezone.key == "UTC"


def test_a_demonstration_keeps_its_data_apart_unless_a_directory_is_named(tmp_path: Path) -> None:
    assert load_settings({}, demo=True).data_dir == load_settings({}).data_dir / "demo"
    named = load_settings({"KAISER_DATA_DIR": str(tmp_path)}, demo=True)
    assert named.data_dir == tmp_path


def test_a_demonstration_lets_devices_in_and_writes_little_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    settings = load_settings({}, demo=True)
    assert (settings.discovery, settings.log_level) == ("auto", "warning")
    dotenv = write(tmp_path / ".env", "KAISER_DISCOVERY=approve\nKAISER_LOG_LEVEL=debug\n")
    told = load_settings({}, dotenv, demo=True)
    assert (told.discovery, told.log_level) == ("approve", "debug")


def test_the_environment_goes_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "KAISER_HTTP_PORT=8001\nKAISER_MQTT_PORT=1884\n")
    settings = load_settings({"KAISER_HTTP_PORT": "8002"}, dotenv)
    assert shown(settings, "KAISER_HTTP_PORT") == ("8002", "environment")
    assert shown(settings, "KAISER_MQTT_PORT") == ("1884", ".env")
    assert shown(settings, "KAISER_HTTP_HOST") == ("127.0.0.1", "default")


def test_a_dotenv_file_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path / ".env").http_port == 8000


def test_a_dollar_in_a_dotenv_file_is_a_dollar(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "KAISER_ADMIN_PASSWORD=price$HOME${PATH}\n")
    password = load_settings({}, dotenv).admin_password
    assert password is not None
    assert password.get_secret_value() == "price$HOME${PATH}"


def test_other_programs_variables_in_a_dotenv_file_are_left_alone(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "COMPOSE_PROJECT_NAME=x\nKAISER_HTTP_PORT=8001\n")
    assert load_settings({}, dotenv).http_port == 8001


def test_an_empty_value_is_none() -> None:
    assert load_settings({"KAISER_DATABASE_URL": "", "KAISER_HTTP_PORT": ""}) == load_settings({})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KAISER_SECRET_KEY", KEY),
        ("KAISER_ADMIN_PASSWORD", "correct horse"),
        ("KAISER_DATABASE_URL", "postgres://kaiser:hidden@db/kaiser"),
        ("KAISER_MQTT_URL", "mqtt://kaiser:hidden@broker"),
    ],
)
def test_a_secret_is_read_from_the_file_that_is_named(name: str, text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "secret", f"{text}\n")
    from_file = load_settings({f"{name}_FILE": str(file)})
    assert from_file.model_dump(exclude={"sources"}) == load_settings({name: text}).model_dump(
        exclude={"sources"}
    )
    value, source = shown(from_file, name)
    assert source == f"file {file}"
    assert "hidden" not in value
    assert text not in value


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "secret", KEY)
    text = refusal({"KAISER_SECRET_KEY": KEY, "KAISER_SECRET_KEY_FILE": str(file)})
    assert "KAISER_SECRET_KEY_FILE" in text
    assert "only one" in text


def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    assert missing in refusal({"KAISER_SECRET_KEY_FILE": missing})
    empty = str(write(tmp_path / "empty", "\n"))
    assert "is empty" in refusal({"KAISER_SECRET_KEY_FILE": empty})


@pytest.mark.parametrize(
    ("name", "value", "accepts"),
    [
        ("KAISER_HTTP_PORT", "http", "1 to 65535"),
        ("KAISER_HTTP_PORT", "0", "1 to 65535"),
        ("KAISER_MQTT_PORT", "65536", "1 to 65535"),
        ("KAISER_HTTP_HOST", "greenhouse", "127.0.0.1"),
        ("KAISER_MQTT_HOST", "1.2.3", "this computer"),
        ("KAISER_DATA_DIR", "a\nb", "a directory"),
        ("KAISER_DATABASE_URL", "mysql://u:hidden@h/d", "postgres://"),
        ("KAISER_DATABASE_URL", "postgres://u:hidden@h", "/database"),
        ("KAISER_DATABASE_URL", "postgres://u:hidden@h:99999/d", "postgres://"),
        ("KAISER_MQTT_URL", "hidden", "mqtt://"),
        ("KAISER_MQTT_URL", "http://u:hidden@h", "mqtts://"),
        ("KAISER_MQTT_URL", "mqtt://[::1", "mqtt://"),
        ("KAISER_MDNS", "perhaps", "on or off"),
        ("KAISER_MQTT_CLIENT_ID", "two words", "64"),
        ("KAISER_BROADCAST_URL", "kafka://h", "redis://"),
        ("KAISER_BROADCAST_URL", "redis://", "redis://"),
        ("KAISER_SECRET_KEY", "hidden", "32 bytes"),
        ("KAISER_ADMIN_PASSWORD", "hidden", "8 to 1024"),
        ("KAISER_DISCOVERY", "never", "approve"),
        ("KAISER_OFFLINE_AFTER", "0", "1 to 86400"),
        ("KAISER_OFFLINE_AFTER", "3 minutes", "seconds"),
        ("KAISER_TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("KAISER_TIMEZONE", "../../etc/passwd", "Europe/Berlin"),
        ("KAISER_PLACE", "52.52", "latitude and longitude"),
        ("KAISER_PLACE", "91,0", "such as 52.52,13.41"),
        ("KAISER_PLACE", "nan,nan", "such as 52.52,13.41"),
        ("KAISER_PLACE", "Berlin, Germany", "such as 52.52,13.41"),
        ("KAISER_LOG_LEVEL", "loud", "warning"),
        ("KAISER_LOG_FORMAT", "xml", "json"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_accepted(
    name: str, value: str, accepts: str
) -> None:
    text = refusal({name: value})
    assert text.startswith(f"{name} (environment)")
    assert accepts in text
    assert "hidden" not in text


def test_a_misspelt_setting_is_refused_with_the_likely_one(tmp_path: Path) -> None:
    assert "did you mean KAISER_HTTP_PORT?" in refusal({"KAISER_HTP_PORT": "8000"})
    dotenv = write(tmp_path / ".env", "KAISER_SECRET_KEYFILE=x\n")
    assert "did you mean KAISER_SECRET_KEY_FILE?" in refusal({}, dotenv)


def test_a_dotenv_file_that_cannot_be_read_is_named_with_the_line(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "KAISER_HTTP_PORT=8000\nKAISER_TIMEZONE='UTC\n")
    assert f"{dotenv}, line 2" in refusal({}, dotenv)
    assert str(tmp_path) in refusal({}, tmp_path)


def test_time_zone_and_place_are_what_rules_mean_that_say_neither() -> None:
    settings = load_settings({"KAISER_TIMEZONE": "Europe/Berlin", "KAISER_PLACE": "52.52, 13.41"})
    assert settings.defaults == Defaults(time_zone="Europe/Berlin", place=Place(52.52, 13.41))
    shown = {line.name: line.value for line in settings.describe()}
    assert shown["KAISER_PLACE"] == "52.52,13.41"
    assert load_settings({}).defaults == Defaults()


@pytest.mark.parametrize("given", ["postgres", "postgresql"])
def test_both_names_of_the_database_scheme_mean_the_same(given: str) -> None:
    settings = load_settings({"KAISER_DATABASE_URL": f"{given}://u@/d?host=/run/pg&port=5432"})
    assert settings.database_url == "postgres://u@/d?host=/run/pg&port=5432"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgres://u:p%40ss@h:5432/d", "postgres://u:********@h:5432/d"),
        ("postgres://u:a@b:c@h/d", "postgres://u:********@h/d"),
        ("postgres://u@h/d?password=x&port=1", "postgres://u@h/d?password=********&port=1"),
        ("postgres://u@h/d", "postgres://u@h/d"),
    ],
)
def test_passwords_in_addresses_are_masked(url: str, masked: str) -> None:
    settings = load_settings({"KAISER_DATABASE_URL": url})
    assert shown(settings, "KAISER_DATABASE_URL")[0] == masked
    assert url not in repr(settings)


def test_secrets_are_neither_shown_nor_printed() -> None:
    settings = load_settings({"KAISER_SECRET_KEY": KEY, "KAISER_ADMIN_PASSWORD": "tomato-soup"})
    printed = repr(settings) + repr(settings.describe())
    assert KEY not in printed
    assert "tomato-soup" not in printed


def test_the_example_lists_every_setting_with_its_default(tmp_path: Path) -> None:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    set_lines = [line[1:] for line in lines if line.startswith("#KAISER_")]
    example = write(tmp_path / ".env", "\n".join(set_lines))
    names = {line.name for line in load_settings({}).describe()}
    assert set(dotenv_values(example)) == names
    assert load_settings({}, example).model_dump(exclude={"sources"}) == load_settings(
        {}
    ).model_dump(exclude={"sources"})


def test_a_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    key = kept_secret_key(tmp_path)
    assert len(key) >= 32
    assert kept_secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_key_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "secret-key", "short")
    with pytest.raises(StartError, match=r"KAISER_SECRET_KEY: .*secret-key"):
        kept_secret_key(tmp_path)


def test_a_data_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    make_data_directory(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_data_directory_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "file", "")
    with pytest.raises(StartError, match=f"^KAISER_DATA_DIR: cannot write in {file}/x: .*$"):
        make_data_directory(file / "x")
