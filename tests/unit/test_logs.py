"""What a log says of an error: where it happened, and nothing that was secret there."""

import logging
from collections.abc import Iterator
from secrets import token_hex

import pytest
import structlog

from app.logs import LogFormat, set_up_logs


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def fail(password: str) -> None:
    raise RuntimeError("the database is gone" if password else "")


@pytest.mark.usefixtures("untouched_logging")
@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_is_logged_without_the_values_of_its_variables(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("INFO", form)
    password = token_hex(16)
    try:
        fail(password)
    except RuntimeError as error:
        group = ExceptionGroup("a part died", [error])
        structlog.get_logger().critical("server.died", exc_info=group)
    said = capsys.readouterr().err
    assert "the database is gone" in said
    assert "test_logs" in said
    assert password not in said
