"""Conversions that devices ask for over MQTT: computed, answered, and not stored.

No firmware is known to ask (device protocol, section 1.14); what does gets its answer on the level
it asked on. Requests are answered beside everything else that devices say: the library may be the
user's own and take its time, and nobody's acknowledgement may wait for that.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import BadInputError, BrokerUnavailableError, NotFoundError
from domain.ports import Clock
from domain.resilience import TokenBuckets
from domain.sensors import SensorKey
from domain.services.process import Outcome, Processed, ProcessRequest
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.messages import ProcessingRequest, ProcessingResponse

MOST_A_SECOND = 10
"""Answers a second that one device gets; what it asks beyond that is dropped and counted."""


MOST_WAITING = 64
"""Requests that wait; one more is dropped and counted, and its device may ask again."""


class ProcessReading(Protocol):
    """Who converts."""

    async def __call__(self, request: ProcessRequest) -> Processed:
        """Convert, or raise BadInputError or NotFoundError with the reason."""
        ...


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class ProcessingWire:
    """Answers what devices want to have converted.

    Attributes:
        limit: How often each device may ask; counts what is dropped.
        dropped: Requests that found too many others waiting.
    """

    sender: Sender
    process: ProcessReading
    clock: Clock
    journal: Journal
    limit: TokenBuckets = field(
        default_factory=lambda: TokenBuckets(rate=MOST_A_SECOND, burst=MOST_A_SECOND), init=False
    )
    dropped: int = field(default=0, init=False)
    _waiting: "asyncio.Queue[ProcessingRequest]" = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING), init=False
    )

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on(ProcessingRequest, self._take)

    async def run(self) -> None:
        """Answer one request after the other until cancelled."""
        while True:
            await self._answer(await self._waiting.get())
            self._waiting.task_done()

    async def _take(self, request: ProcessingRequest) -> None:
        if self.limit.wait(request.esp_id, self.clock.monotonic()):
            return
        if self._waiting.full():
            self.dropped += 1
        else:
            self._waiting.put_nowait(request)

    async def _answer(self, request: ProcessingRequest) -> None:
        asked = ProcessRequest(
            sensor_type=request.sensor_type,
            raw_value=request.raw_value,
            key=SensorKey(request.esp_id, request.gpio, ""),
        )
        now = int(self.clock.now().timestamp())
        try:
            response = _response(request, await self.process(asked), now)
        except (BadInputError, NotFoundError) as error:
            response = _refusal(request, str(error), now)
        try:
            await self.sender.send(response)
        except BrokerUnavailableError as error:
            self.journal.warning("processing.not_answered", esp_id=request.esp_id, error=str(error))


def _response(
    request: ProcessingRequest, processed: Processed, timestamp: int
) -> ProcessingResponse:
    measured = processed.measurement
    if processed.outcome is not Outcome.OK:
        why = processed.reason or f"nothing converts {request.sensor_type}"
        return _refusal(request, why, timestamp)
    return ProcessingResponse(
        esp_id=request.esp_id,
        kaiser_id=request.kaiser_id,
        gpio=request.gpio,
        processed_value=measured.value,
        unit=measured.unit or "",
        quality=measured.quality,
        timestamp=timestamp,
        both_spellings=True,
    )


def _refusal(request: ProcessingRequest, why: str, timestamp: int) -> ProcessingResponse:
    return ProcessingResponse(
        esp_id=request.esp_id,
        kaiser_id=request.kaiser_id,
        gpio=request.gpio,
        timestamp=timestamp,
        error=why,
    )
