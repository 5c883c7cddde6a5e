"""Conversions that devices ask for over MQTT: computed, answered, and not stored.

No firmware is known to ask (device protocol, section 1.14); what does gets its answer on the level
it asked on.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import BrokerUnavailableError
from domain.ports import Clock
from domain.sensors import Measurement, Sample, SensorKey
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.messages import ProcessingRequest, ProcessingResponse

MOST_A_SECOND = 10
"""Answers a second that one device gets; what it asks beyond that is dropped and counted."""

MOST_DEVICES = 10_000
"""Devices that are counted at once; the longest silent is forgotten first."""


class ProcessReading(Protocol):
    """Who converts."""

    def measure(self, sample: Sample) -> Measurement:
        """Convert a sample, or pass its raw value through with the reason; never raises."""
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
        dropped: Requests that came too fast.
    """

    sender: Sender
    process: ProcessReading
    clock: Clock
    journal: Journal
    dropped: int = 0
    _spent: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict, init=False)

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on(ProcessingRequest, self._answer)

    async def _answer(self, request: ProcessingRequest) -> None:
        if not self._may_ask(request.esp_id):
            self.dropped += 1
            return
        sample = Sample(
            key=SensorKey(request.esp_id, request.gpio, request.sensor_type),
            raw_value=request.raw_value,
            received_at=request.received_at,
            kaiser_id=request.kaiser_id,
        )
        try:
            await self.sender.send(
                _response(request, self.process.measure(sample), int(self.clock.now().timestamp()))
            )
        except BrokerUnavailableError as error:
            self.journal.warning("processing.not_answered", esp_id=request.esp_id, error=str(error))

    def _may_ask(self, esp_id: str) -> bool:
        second = int(self.clock.monotonic())
        begun, count = self._spent.pop(esp_id, (second, 0))
        self._spent[esp_id] = (second, count + 1 if begun == second else 1)
        if len(self._spent) > MOST_DEVICES:
            self._spent.popitem(last=False)
        return self._spent[esp_id][1] <= MOST_A_SECOND


def _response(
    request: ProcessingRequest, measured: Measurement, timestamp: int
) -> ProcessingResponse:
    converted = measured.library is not None and measured.value is not None
    said = "; ".join(str(note) for note in (measured.notes or {}).values())
    return ProcessingResponse(
        esp_id=request.esp_id,
        kaiser_id=request.kaiser_id,
        gpio=request.gpio,
        processed_value=measured.value if converted else None,
        unit=(measured.unit or "") if converted else "",
        quality=measured.quality,
        timestamp=timestamp,
        both_spellings=converted,
        error="" if converted else said or f"nothing converts {request.sensor_type}",
    )
