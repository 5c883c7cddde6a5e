"""Orders to devices themselves: judged, sent, answered, and written down with who gave them.

They are for now: a device that is away is not told later. An order outlives the request that gave
it, as a command does: what the device was told is written down even if nobody waits any more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from domain.devices import Device
from domain.errors import ConflictError, DeviceSilentError, DomainError, NotFoundError
from domain.orders import DeviceOrder, OrderAnswer, OrderKind
from domain.ports import OrderLink
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import Detail, EventKind, Severity, SystemEvent

MOST_DETAILS = 30
"""Facts of a device's answer that are written down."""


class Ordered(NamedTuple):
    """An order that a device carried out: what was written down, and what the device said."""

    event: SystemEvent
    answer: OrderAnswer


@dataclass(slots=True, kw_only=True)
class SendOrder:
    """Tells a device to do something with itself; at most one order is under way per device."""

    registry: Registry
    link: OrderLink
    record: RecordEvents
    new_id: Callable[[], UUID]
    _open: set[str] = field(default_factory=set, init=False)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)

    async def run(self) -> None:
        """Carry orders through until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    async def __call__(
        self, esp_id: str, kind: OrderKind, *, by: str, gpio: int | None = None
    ) -> Ordered:
        """Give an order, and wait for the device's answer.

        Args:
            esp_id: The device.
            kind: What it shall do.
            by: The name of who asks.
            gpio: The pin of the bus or the sensor, where the kind has one.

        Raises:
            NotFoundError: The device is not known.
            ConflictError: It cannot do this, is not there, is not approved, has another order
                under way, or refused; the message says what to do.
            DeviceSilentError: It did not answer in time.
            BrokerUnavailableError: It could not be told.
            StorageUnavailableError: It was told, but that is not written down yet.
        """
        order = DeviceOrder(id=self.new_id(), esp_id=esp_id, kind=kind, gpio=gpio)
        device = self._ready(order)
        if self._tasks is None:
            raise ConflictError("the server has only begun to start: try again in a moment")
        self._open.add(esp_id)
        task = self._tasks.create_task(
            self._carry_through(order, device, by), name=f"order {order.id}"
        )
        outcome = await asyncio.shield(task)
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome

    def _ready(self, order: DeviceOrder) -> Device:
        esp_id = order.esp_id
        device = self.registry.device(esp_id)
        if device is None:
            raise NotFoundError(f"no device {esp_id} is known")
        called = self.registry.called(esp_id)
        if not device.approved:
            raise ConflictError(f"{called} is not approved: let it in with approveDevice first")
        obstacle = self.link.obstacle(order, device)
        if obstacle is not None:
            raise ConflictError(f"{called} cannot do this: {obstacle}")
        if not device.online:
            raise ConflictError(
                f"{called} is offline, and orders are never kept for later: try again when it is "
                "back"
            )
        if esp_id in self._open:
            raise ConflictError(f"another order to {called} is under way: try again in a moment")
        return device

    async def _carry_through(
        self, order: DeviceOrder, device: Device, by: str
    ) -> Ordered | DomainError:
        """Return what came of it; errors too, for one that is raised would end the task group."""
        try:
            answer = await self.link.carry_out(order, device.kaiser_id)
            return await self._write_down(order, by, answer)
        except DeviceSilentError as error:
            return await self._note_silence(order, by, error)
        except DomainError as error:
            return error
        finally:
            self._open.discard(order.esp_id)

    async def _write_down(
        self, order: DeviceOrder, by: str, answer: OrderAnswer
    ) -> Ordered | DomainError:
        told = f"{self.registry.called(order.esp_id)} was told by {by} to {order.kind.phrase}"
        said = answer.message or "it gave no reason"
        event = await self.record.stored(
            EventKind.DEVICE_ORDERED,
            Severity.INFO if answer.success else Severity.WARNING,
            f"{told}, and does so." if answer.success else f"{told}, and refused: {said}.",
            esp_id=order.esp_id,
            details=_details(order, by, answer),
        )
        if not answer.success:
            return ConflictError(f"{self.registry.called(order.esp_id)} refused: {said}")
        return Ordered(event, answer)

    async def _note_silence(
        self, order: DeviceOrder, by: str, error: DeviceSilentError
    ) -> DomainError:
        called = self.registry.called(order.esp_id)
        self.record(
            EventKind.DEVICE_ORDERED,
            Severity.WARNING,
            f"{called} was told by {by} to {order.kind.phrase}, and did not answer.",
            esp_id=order.esp_id,
            about=str(order.id),
            details={"order": order.kind.value, "by": by, "outcome": "UNANSWERED"},
        )
        return error


def _details(order: DeviceOrder, by: str, answer: OrderAnswer) -> dict[str, Detail]:
    known: dict[str, Detail] = {
        "order": order.kind.value,
        "by": by,
        "outcome": "DONE" if answer.success else "REFUSED",
        "said": answer.message,
    }
    if order.gpio is not None:
        known["gpio"] = order.gpio
    if answer.raw_value is not None:
        known["raw_value"] = answer.raw_value
    found = {chip.rom_code: chip.device_type for chip in answer.chips}
    more = {**answer.details, **found}
    kept = list(more.items())[:MOST_DETAILS]
    return {**dict(kept), **known}
