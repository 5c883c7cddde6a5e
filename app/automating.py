"""Rules, put together: who decides, who carries out, who remembers, and who holds what."""

from uuid import UUID

from uuid_utils.compat import uuid7

from app.ground import Ground
from domain.services.automate import Automate
from domain.services.carry_out import CarryOut
from domain.services.command import SendCommand
from domain.services.emergency import Emergency
from domain.services.manage_rules import ManageRules
from domain.services.record_events import RecordEvents
from domain.services.remember_rules import RememberRules
from sensor_libs.limits import LibraryLimits


def automation(
    ground: Ground,
    send: SendCommand,
    emergency: Emergency,
    record: RecordEvents,
    limits: LibraryLimits,
) -> ManageRules:
    """Return what makes rules, and runs them."""

    async def enable(rule_id: UUID, enabled: bool) -> object:  # noqa: FBT001 - as the port has it
        return await manage.set_enabled(rule_id, enabled)

    carry_out = CarryOut(
        storage=ground.database,
        registry=ground.registry,
        holders=ground.holders,
        leases=ground.leases,
        send=send,
        emergency=emergency,
        record=record,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        enable=enable,
    )
    remember = RememberRules(
        storage=ground.database, clock=ground.clock, guard=ground.storage_guard()
    )
    manage = ManageRules(
        storage=ground.database,
        registry=ground.registry,
        clock=ground.clock,
        automate=Automate(world=ground.world, carry_out=carry_out, remember=remember),
        new_id=uuid7,
        unit_of=limits.unit,
        defaults=ground.defaults,
    )
    return manage
