"""Root fields that tell a device to do something with itself."""

from typing import Annotated

import strawberry

from domain.errors import BadInputError, NotFoundError
from domain.orders import OrderKind
from domain.services.order import Ordered
from domain.users import Role
from schema.arguments import EspId
from schema.context import Context, Info
from schema.fields import mutation
from schema.orders import MeasuredNow, OneWireScan
from schema.sensors import SensorRefInput
from schema.system_events import SystemEvent

Confirm = Annotated[
    bool | None,
    strawberry.argument(
        description="Must be true: the device forgets its WiFi, too, and has to be set up again on "
        "the spot."
    ),
]
Active = Annotated[bool, strawberry.argument(description="True: enter safe mode; false: leave it.")]
Bus = Annotated[
    int | None,
    strawberry.argument(
        name="gpio", description="The pin of the bus; the device's default bus if left out."
    ),
]
Ref = Annotated[SensorRefInput, strawberry.argument(name="input", description="Which sensor.")]


@strawberry.type
class OrderMutations:
    """Telling devices what to do with themselves.

    An order is for now: a device that is away is never told later.
    """

    @mutation
    async def restart_device(self, info: Info, esp_id: EspId) -> SystemEvent:
        """Restart a device whose firmware can; returns once it has answered. Role: ADMIN."""
        return await _told(info.context, Role.ADMIN, esp_id, OrderKind.RESTART)

    @mutation
    async def factory_reset_device(
        self, info: Info, esp_id: EspId, confirm: Confirm = None
    ) -> SystemEvent:
        """Let a device forget all its settings; returns once it has answered. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        if confirm is not True:
            raise BadInputError(
                "a factory reset has to be confirmed with confirm: true; the device forgets its "
                "WiFi, too, and has to be set up again on the spot"
            )
        return await _told(info.context, Role.ADMIN, esp_id, OrderKind.FACTORY_RESET)

    @mutation
    async def set_safe_mode(self, info: Info, esp_id: EspId, active: Active) -> SystemEvent:
        """Let a device hold all its outputs off, or go on working. Role: OPERATOR."""
        kind = OrderKind.ENTER_SAFE_MODE if active else OrderKind.LEAVE_SAFE_MODE
        return await _told(info.context, Role.OPERATOR, esp_id, kind)

    @mutation
    async def request_diagnostics(self, info: Info, esp_id: EspId) -> SystemEvent:
        """Let a device report on itself; its numbers stand in `details`. Role: OPERATOR."""
        return await _told(info.context, Role.OPERATOR, esp_id, OrderKind.DIAGNOSE)

    @mutation
    async def scan_one_wire(self, info: Info, esp_id: EspId, bus: Bus = None) -> OneWireScan:
        """Let a device search for OneWire sensors, and return what it found. Role: OPERATOR."""
        return OneWireScan.of(
            await _ordered(info.context, Role.OPERATOR, esp_id, OrderKind.SCAN_ONEWIRE, bus)
        )

    @mutation
    async def measure_sensor(self, info: Info, ref: Ref) -> MeasuredNow:
        """Let a sensor be measured now instead of in its own rhythm. Role: OPERATOR.

        The order names only the pin: of several sensors there, the device measures as it likes.
        """
        info.context.require(Role.OPERATOR)
        if info.context.services.registry.sensor(ref.key) is None:
            raise NotFoundError(f"no such sensor is known on GPIO {ref.gpio} of {ref.esp_id}")
        return MeasuredNow.of(
            await _ordered(info.context, Role.OPERATOR, ref.esp_id, OrderKind.MEASURE, ref.gpio)
        )


async def _told(context: Context, role: Role, esp_id: str, kind: OrderKind) -> SystemEvent:
    return SystemEvent.of((await _ordered(context, role, esp_id, kind)).event)


async def _ordered(
    context: Context, role: Role, esp_id: str, kind: OrderKind, gpio: int | None = None
) -> Ordered:
    identity = context.require(role)
    return await context.services.send_order(esp_id, kind, by=identity.username, gpio=gpio)
