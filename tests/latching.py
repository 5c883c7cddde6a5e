"""Stops, boards and times for those who specify the latch."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.actuators import Pin
from domain.emergency_latch import Latch, Task
from domain.emergency_stops import EmergencyStop
from tests.fakes import START
from tests.makers import make_emergency_stop

ESP = "ESP_12AB34"
OTHER = "ESP_FFFFFF"
BOTH = (ESP, OTHER)
PIN = Pin(ESP, 5)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


def told(latch: Latch, now: datetime, *online: str) -> list[tuple[Task, str]]:
    """Carry out what is due; return what went to whom."""
    due = latch.due(now, online)
    for instruction in due:
        latch.sent(instruction, now)
    return [(instruction.task, instruction.esp_id) for instruction in due]


def holding(*stops: EmergencyStop) -> Latch:
    latch = Latch()
    for stop in stops:
        latch.put(stop)
    return latch


def confirmed_at(latch: Latch, stop: EmergencyStop, esp_id: str = ESP) -> datetime | None:
    known = latch.get(stop.id)
    assert known is not None
    return known.devices[esp_id].confirmed_at


def of_all(number: int = 1, triggered: float = 0) -> EmergencyStop:
    return make_emergency_stop(id=UUID(int=number), triggered_at=at(triggered)).including(BOTH)


def of_device() -> EmergencyStop:
    return make_emergency_stop(id=UUID(int=1), esp_id=ESP).including([ESP])


def of_pin(number: int = 2, esp_id: str = ESP, gpio: int = 5) -> EmergencyStop:
    stop = make_emergency_stop(id=UUID(int=number), esp_id=esp_id, gpio=gpio)
    return stop.including([esp_id])


def cleared(stop: EmergencyStop, seconds: float = 0, *, resume: bool = False) -> EmergencyStop:
    return stop.cleared(at(seconds), None, resume=resume)


def clear(latch: Latch, stop: EmergencyStop, seconds: float) -> None:
    """Clear a stop with all that is known of its devices by now."""
    known = latch.get(stop.id)
    assert known is not None
    latch.put(cleared(known, seconds))
