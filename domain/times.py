"""Instants and durations as they are written: in GraphQL, in conditions, in what is stored."""

import re
from datetime import UTC, datetime, timedelta

from domain.errors import BadInputError

_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9})(?:\.(?P<fraction>\d{1,6}))?S)?)?",
    re.ASCII,
)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def read_duration(text: object) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds, such as `PT5M`.

    Years, months and weeks are refused: the first two have no fixed length, the third mixes with
    nothing else. So are signs, and fractions of anything but seconds (to the microsecond).

    Raises:
        BadInputError: It is not one, or longer than `timedelta` can hold (2.7 million years).
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadInputError(f"{text!r} is not a duration like PT5M, PT1.5S or P1DT12H")
    parts = {name: int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds")}
    microseconds = int((match["fraction"] or "").ljust(6, "0"))
    try:
        return timedelta(**parts, microseconds=microseconds)
    except OverflowError as error:
        raise BadInputError(f"{text!r} is too long") from error


def write_duration(duration: timedelta) -> str:
    """Write a duration (not negative) the shortest way, such as `PT5M`; nothing is `PT0S`."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06}".rstrip("0").rstrip(".")
    time = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{seconds}{fraction}S" if seconds or fraction else "",
        )
    )
    days = f"{duration.days}D" if duration.days else ""
    return f"P{days}T{time}" if time else f"P{days or 'T0S'}"


def read_instant(text: object) -> datetime:
    """Read an RFC 3339 instant; it must say its offset, for a local time names no instant.

    Raises:
        BadInputError: It is not one.
    """
    try:
        if isinstance(text, str) and _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInputError(
        f"{text!r} is not an instant like 2026-05-01T06:30:00Z or 2026-05-01T08:30:00+02:00"
    )


def write_instant(instant: datetime) -> str:
    """Write an instant in UTC, to the microsecond where it has them."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
