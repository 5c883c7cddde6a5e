"""Emergency stops over the legacy REST interface: the same latched stop as everywhere else.

The system before this one only sent OFF once; here a stop stays in force until it is cleared, and
an ON right behind it is refused (legacy contract, section 3.4 and decision D5). The answer counts
those that were told; who has confirmed, GraphQL and the events tell.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.legacy_rest.answers import Answer, RefusedError, invalid, refused
from domain.emergency_stops import LONGEST_REASON, EmergencyStop
from domain.errors import (
    BadInputError,
    ConflictError,
    DomainError,
    NotFoundError,
    StorageUnavailableError,
)
from domain.services.emergency import Emergency
from domain.services.registry import Registry
from domain.times import write_instant
from domain.users import Identity

_STATUSES: dict[type[DomainError], int] = {
    NotFoundError: 404,
    ConflictError: 409,
    StorageUnavailableError: 503,
}


class StopBody(msgspec.Struct):
    """What to stop: everything, a device, or an actuator of it."""

    reason: str
    esp_id: str | None = None
    gpio: int | None = None


class ClearBody(msgspec.Struct):
    """Which stops to clear: all, those of a device, or that of an actuator of it."""

    esp_id: str | None = None
    gpio: int | None = None
    resume: bool = False


STOP_BODY = msgspec.json.Decoder(StopBody, strict=False)
CLEAR_BODY = msgspec.json.Decoder(ClearBody, strict=False)


class Emergencies:
    """Answers about emergency stops."""

    def __init__(self, emergency: Emergency, registry: Registry) -> None:
        self._emergency = emergency
        self._registry = registry

    async def stop(self, body: StopBody, by: Identity) -> Answer:
        """Stop, and say who was told.

        A pin of no device stops everything: the old interface takes it, and nobody who presses is
        sent away to say it better.

        Raises:
            RefusedError: There is nothing to stop, or no reason.
        """
        reason = _shortened(body.reason)
        try:
            gpio = body.gpio if body.esp_id else None
            stop = await self._emergency.stop(
                reason, esp_id=body.esp_id or None, gpio=gpio, by=by.user_id
            )
        except DomainError as error:
            raise _refusal(error, "gpio" if reason else "reason") from None
        details = [self._told(stop, esp_id) for esp_id in sorted(stop.devices)]
        told = [one for one in details if self._online(one["esp_id"])]
        return Answer(
            {
                "success": True,
                "message": f"The emergency stop of {stop.scope} is in force until it is cleared",
                "devices_stopped": len(told),
                "actuators_stopped": sum(len(one["actuators"]) for one in told),
                "reason": stop.reason,
                "timestamp": write_instant(stop.triggered_at),
                "details": details,
            }
        )

    async def clear(self, body: ClearBody, by: Identity) -> Answer:
        """Clear stops; nothing is switched on by it.

        Raises:
            RefusedError: A stop of more than what is named holds it, too; or it stays in force.
        """
        if body.gpio is not None and not body.esp_id:
            raise invalid("an actuator is named by its esp_id and its gpio", "gpio")
        try:
            self._emergency.check_started()
            stops = self._meant(body)
            cleared = [
                await self._emergency.clear(stop.id, by.user_id, resume=body.resume)
                for stop in stops
            ]
        except DomainError as error:
            raise _refusal(error, "esp_id") from None
        said = ", ".join(stop.scope for stop in cleared)
        return Answer(
            {
                "success": True,
                "message": f"Cleared: the emergency stop of {said}"
                if cleared
                else "No emergency stop is in force",
                "devices_cleared": len({esp_id for stop in cleared for esp_id in stop.devices}),
                "stops_cleared": len(cleared),
                "timestamp": write_instant(self._emergency.clock.now()),
            }
        )

    def _meant(self, body: ClearBody) -> Sequence[EmergencyStop]:
        active = [stop for stop in self._emergency.latch.stops if stop.active]
        if not body.esp_id:
            return active
        meant = [
            stop for stop in active if stop.esp_id == body.esp_id and body.gpio in {None, stop.gpio}
        ]
        wider = [stop for stop in active if stop.concerns(body.esp_id) and stop not in meant]
        if wider and not meant:
            scope = wider[0].scope
            raise refused(409, f"the emergency stop of {scope} holds it: clear that one")
        return meant

    def _told(self, stop: EmergencyStop, esp_id: str) -> dict[str, Any]:
        pins = [
            actuator.pin.gpio
            for actuator in self._registry.actuators_of(esp_id)
            if stop.covers(actuator.pin)
        ]
        said = self._emergency.note(stop, esp_id) or "it has stopped"
        return {
            "esp_id": esp_id,
            "actuators": [
                {"esp_id": esp_id, "gpio": gpio, "success": self._online(esp_id), "message": said}
                for gpio in pins
            ],
        }

    def _online(self, esp_id: str) -> bool:
        device = self._registry.device(esp_id)
        return device is not None and device.online


def _shortened(reason: str) -> str:
    """Fit a reason of the old length, 500 characters: nobody who presses is sent away for it."""
    words = "".join(c if c.isprintable() else " " for c in reason).split()
    return " ".join(words)[:LONGEST_REASON].rstrip()


def _refusal(error: DomainError, place: str) -> RefusedError:
    if isinstance(error, BadInputError):
        return invalid(str(error), place)
    return refused(_STATUSES.get(type(error), 500), str(error))
