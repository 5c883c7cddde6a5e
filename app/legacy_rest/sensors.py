"""Sensors over the legacy REST interface: conversions on demand, and what can be converted.

Three clients ask `/sensors/process` in three ways (legacy contract, section 3.3.1): early firmware,
clients of the reference server, and those of its specification. One shape reads all of them, and
one answer serves them: what firmware searches for comes first, the others find their keys behind.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from app.legacy_rest.answers import Answer, invalid, refused
from domain.errors import BadInputError, NotFoundError
from domain.resilience import TokenBuckets
from domain.sensors import Quality, SensorKey
from domain.services.process import Chips, Outcome, Processed, ProcessReading, ProcessRequest

FALLBACK = "raw"
"""The quality, and the unit, of a raw value that was passed through."""


class ProcessBody(msgspec.Struct):
    """A request in any of the three forms; `raw_data` is `raw_value`, `metadata` is `params`."""

    sensor_type: str
    esp_id: str | None = None
    gpio: int | None = None
    raw_value: Any = None
    raw_data: Any = None
    raw: Any = None
    calibration: Any = None
    params: Any = None
    # The reference knows no such field: who sends it takes the raw value where nothing reads it.
    metadata: Any | UnsetType = UNSET
    fallback: bool | None = None

    def request(self) -> ProcessRequest:
        """Return what is asked for.

        Raises:
            RefusedError: There is no raw value, or the pin is none.
        """
        said = (self.raw_value, self.raw_data, self.raw)
        raw = next((_number(value) for value in said if value is not None), None)
        if raw is None:
            raise invalid("a raw value is needed", "raw_value")
        if self.gpio is not None and not 0 <= self.gpio <= 255:  # noqa: PLR2004 - a byte
            raise invalid("a pin from 0 to 255 is needed", "gpio")
        seed = self.raw_data is not None or self.metadata is not UNSET
        options = [_object(given) for given in (self.metadata, self.params, self.calibration)]
        unit = next((o["unit"] for o in options if isinstance(o.get("unit"), str)), None)
        several = isinstance(raw, list | dict)
        return ProcessRequest(
            sensor_type=self.sensor_type,
            raw_value=None if several else raw,
            raw_values=raw if several else None,
            key=SensorKey(self.esp_id, self.gpio, "")
            if self.esp_id and self.gpio is not None
            else None,
            parameters=_parameters(options),
            unit=unit or None,
            fallback=seed if self.fallback is None else self.fallback,
        )


def _object(given: object) -> Mapping[str, Any]:
    """Return an object; what is none, as the document's `"{}"`, counts as empty."""
    return given if isinstance(given, dict) else {}


def _parameters(options: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return all that is said; of what the library knows, what is no number is refused later."""
    return {
        name: float(value) if isinstance(value, bool) else _number(value)
        for each in options
        for name, value in each.items()
        if value is not None
    }


def _number(given: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Return a number that was sent as text (device protocol, section 2); all else as it is."""
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


BODY = msgspec.json.Decoder(ProcessBody, strict=False)


class Sensors:
    """Answers about sensors.

    Attributes:
        limit: How often an address may ask; None: nobody may.
    """

    def __init__(self, process: ProcessReading, chips: Chips, limit: TokenBuckets | None) -> None:
        self.limit = limit
        self._process = process
        self._chips = chips

    def admit(self, address: str, now: float) -> None:
        """Let a caller ask, or refuse it before anything of its body is read.

        Raises:
            RefusedError: It asks too often, or nobody may ask.
        """
        if self.limit is None:
            raise refused(403, "this server converts nothing over REST: its operator closed it")
        wait = self.limit.wait(address, now)
        if wait:
            seconds = b"%d" % math.ceil(wait)
            raise refused(
                429,
                f"more than {self.limit.rate:g} requests a second; wait {math.ceil(wait)} s",
                (b"Retry-After", seconds),
                (b"X-RateLimit-Limit", b"%d" % self.limit.rate),
                (b"X-RateLimit-Remaining", b"0"),
                close=True,
            )

    async def process(self, body: ProcessBody, at: int) -> Answer:
        """Convert; nothing is stored.

        Args:
            body: What is asked.
            at: Unix seconds.

        Raises:
            RefusedError: It cannot be converted, and says why.
        """
        request = body.request()
        try:
            return Answer(_answer(await self._process(request), at))
        except BadInputError as error:
            raise invalid(str(error)) from None
        except NotFoundError as error:
            raise refused(404, str(error)) from None

    def types(self) -> Answer:
        """Say what is read."""
        names = self._chips.sensor_types()
        return Answer({"sensor_types": names, "count": len(names)})

    def health(self) -> Answer:
        """Say whether anything can be converted."""
        names = self._chips.sensor_types()
        content = {
            "status": "healthy" if names else "unhealthy",
            "processors_loaded": len(names),
            "available_sensors": names,
        }
        return Answer(content, 200 if names else 503)


def _answer(processed: Processed, at: int) -> Mapping[str, Any]:
    measured, outcome = processed.measurement, processed.outcome
    fell_back, good = outcome is Outcome.FALLBACK, outcome is Outcome.OK
    # Early firmware takes null for 0, and passes the quality on: of all words only `error` makes
    # the server leave that 0 alone when it comes back as a reading.
    quality = measured.quality if good else Quality.ERROR
    return {
        "processed_value": measured.value,
        "unit": FALLBACK if fell_back else measured.unit or "",
        "quality": FALLBACK if fell_back else quality.value.lower(),
        "timestamp": at,
        "success": good,
        "processing_time_ms": round(processed.milliseconds, 3),
        "error": None if good else processed.reason,
        "metadata": {
            "library": measured.library,
            "library_version": measured.library_version,
            **(measured.notes or {}),
        },
        **processed.values,
        "status": "fallback" if fell_back else "ok" if good else "error",
    }
