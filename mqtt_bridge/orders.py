"""Orders to devices on the wire: each in the words of the device, matched with what it answers."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.devices import Device
from domain.errors import DeviceSilentError
from domain.intents import explanation
from domain.orders import MEASURED_WITHIN, DeviceOrder, OneWireChip, OrderAnswer, OrderKind
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.dialects import obstacle
from mqtt_bridge.messages import (
    IntentOutcome,
    MeasureCommand,
    MeasureResponse,
    OneWireScan,
    SystemAction,
    SystemCommand,
    SystemResponse,
)

_ACTIONS = {
    OrderKind.RESTART: SystemAction.REBOOT,
    OrderKind.FACTORY_RESET: SystemAction.FACTORY_RESET,
    OrderKind.ENTER_SAFE_MODE: SystemAction.SAFE_MODE,
    OrderKind.LEAVE_SAFE_MODE: SystemAction.EXIT_SAFE_MODE,
    OrderKind.DIAGNOSE: SystemAction.DIAGNOSTICS,
    OrderKind.SCAN_ONEWIRE: SystemAction.ONEWIRE_SCAN,
}

_NO_ERROR = {"", "NONE"}


@dataclass(slots=True)
class _Open:
    """An order under way; a search is answered twice, and the list of what was found counts."""

    order: DeviceOrder
    answer: "asyncio.Future[OrderAnswer]"
    begun: OrderAnswer | None = None

    def end(self, answer: OrderAnswer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


@dataclass(slots=True, kw_only=True)
class OrderWire:
    """Implements domain.ports.OrderLink.

    Attributes:
        found: Told what a device found on its OneWire buses without an order.
        unmatched: Answers that nobody waited for: late, doubled, or to somebody else's order.
    """

    sender: Sender
    found: Callable[[str, Sequence[tuple[str, str, int | None]]], None]
    unmatched: int = 0
    _open: dict[str, _Open] = field(default_factory=dict, init=False)

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on_answer(SystemResponse, self._answered)
        control.on_answer(MeasureResponse, self._measured)
        control.on_answer(OneWireScan, self._scanned)
        control.on_answer(IntentOutcome, self._outcome)

    @staticmethod
    def obstacle(order: DeviceOrder, device: Device) -> str | None:
        """Say why a device's firmware cannot do it; see domain.ports.OrderLink."""
        return obstacle(_message(order, device.kaiser_id), device.firmware_generation)

    async def carry_out(self, order: DeviceOrder, kaiser_id: str) -> OrderAnswer:
        """Tell a device, and wait for its answer; see domain.ports.OrderLink."""
        with self._listening(order) as waiting:
            await self.sender.send(_message(order, kaiser_id))
            try:
                async with asyncio.timeout(order.kind.deadline.total_seconds()):
                    return await asyncio.shield(waiting.answer)
            except TimeoutError:
                if waiting.begun is not None:
                    return waiting.begun
                raise DeviceSilentError(
                    f"{order.esp_id} did not answer within "
                    f"{order.kind.deadline.total_seconds():g} s; if it still sends heartbeats, "
                    "switch it off and on again"
                ) from None

    @contextmanager
    def _listening(self, order: DeviceOrder) -> Iterator[_Open]:
        # From before the publishing: an answer may outrun the broker's confirmation.
        if order.esp_id in self._open:
            raise ValueError(f"an order to {order.esp_id} is under way")
        waiting = _Open(order, asyncio.get_running_loop().create_future())
        self._open[order.esp_id] = waiting
        try:
            yield waiting
        finally:
            del self._open[order.esp_id]

    def _answered(self, told: SystemResponse) -> None:
        waiting = self._open.get(told.esp_id)
        if waiting is None or not _answers(told, waiting.order):
            self.unmatched += 1
            return
        answer = OrderAnswer(success=told.success, message=told.message, details=told.details)
        if waiting.order.kind is OrderKind.SCAN_ONEWIRE and told.success:
            waiting.begun = answer
        else:
            waiting.end(answer)

    def _scanned(self, told: OneWireScan) -> None:
        waiting = self._open.get(told.esp_id)
        if waiting is None or waiting.order.kind is not OrderKind.SCAN_ONEWIRE:
            self.found(
                told.esp_id, [(chip.rom_code, chip.device_type, chip.pin) for chip in told.devices]
            )
            return
        chips = (OneWireChip(chip.rom_code, chip.device_type, chip.pin) for chip in told.devices)
        waiting.end(OrderAnswer(success=True, chips=tuple(chips)))

    def _measured(self, told: MeasureResponse) -> None:
        waiting = self._open.get(told.esp_id)
        if waiting is None or told.request_id != str(waiting.order.id):
            self.unmatched += 1
            return
        reason = "" if told.reason.upper() in _NO_ERROR else told.reason
        late = "it took too long" if told.timed_out else ""
        waiting.end(
            OrderAnswer(
                success=told.success and told.measured,
                message=reason or late,
                details={"sensor_type": told.sensor_type, "published": told.published},
                raw_value=told.raw_value,
            )
        )

    def _outcome(self, told: IntentOutcome) -> None:
        waiting = self._open.get(told.esp_id)
        named = {told.correlation_id, told.intent_id}
        if waiting is not None and told.outcome.refused and str(waiting.order.id) in named:
            waiting.end(OrderAnswer(success=False, message=explanation(told.code, told.reason)))


def _message(order: DeviceOrder, kaiser_id: str) -> SystemCommand | MeasureCommand:
    if order.kind is OrderKind.MEASURE:
        if order.gpio is None:
            raise ValueError("a measurement needs the pin of its sensor")
        return MeasureCommand(
            esp_id=order.esp_id,
            kaiser_id=kaiser_id,
            gpio=order.gpio,
            request_id=str(order.id),
            timeout_ms=int(MEASURED_WITHIN.total_seconds() * 1000),
        )
    return SystemCommand(
        esp_id=order.esp_id,
        kaiser_id=kaiser_id,
        command=_ACTIONS[order.kind],
        pin=order.gpio,
        correlation_id=str(order.id),
    )


def _answers(told: SystemResponse, order: DeviceOrder) -> bool:
    """Say whether an answer is to this order: by its id where it has one, else by its word."""
    if told.correlation_id is not None:
        return told.correlation_id == str(order.id)
    action = _ACTIONS.get(order.kind)
    return action is not None and told.command == action.value
