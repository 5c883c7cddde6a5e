"""What switches actuators on and off, put together: commands, and who watches what is on."""

from uuid_utils.compat import uuid7

from app.bridge import Bridge
from app.ground import Ground
from domain.services.command import SendCommand
from domain.services.recall_conditions import RecallConditions
from domain.services.record_events import RecordEvents
from domain.services.report_events import ReportEvents
from domain.services.watch_effects import WatchEffects
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.watch_leases import WatchLeases


def send_command(
    ground: Ground, bridge: Bridge, reports: ReportEvents, interlocks: WatchInterlocks
) -> SendCommand:
    """Return what commands pass through."""
    return SendCommand(
        storage=ground.database,
        registry=ground.registry,
        latch=ground.latch,
        leases=ground.leases,
        link=bridge.commands,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
        ended=reports.command_ended,
        interlocks=interlocks.of,
        answered_within=bridge.commands.answered_within,
        people=ground.holders.overridden,
        holder=ground.holders.get,
    )


def watch_leases(ground: Ground, bridge: Bridge, record: RecordEvents) -> WatchLeases:
    """Return the watchdog, which hears already what devices say."""
    watch = WatchLeases(
        storage=ground.database,
        registry=ground.registry,
        latch=ground.latch,
        leases=ground.leases,
        link=bridge.leases,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        record=record,
        new_id=uuid7,
    )
    bridge.leases.attach(bridge.control, watch)
    return watch


def watch_interlocks(ground: Ground, leases: WatchLeases) -> WatchInterlocks:
    """Return who knows what must hold for things to be on."""
    return WatchInterlocks(
        registry=ground.registry,
        world=ground.world,
        leases=ground.leases,
        clock=ground.clock,
        switch_off=leases.switch_off,
        recall=_recall(ground),
    )


def watch_effects(ground: Ground, leases: WatchLeases, record: RecordEvents) -> WatchEffects:
    """Return who asks whether what is on has the effect that it should."""
    return WatchEffects(
        storage=ground.database,
        registry=ground.registry,
        world=ground.world,
        leases=ground.leases,
        clock=ground.clock,
        guard=ground.storage_guard(),
        record=record,
        switch_off=leases.switch_off,
        recall=_recall(ground),
    )


def _recall(ground: Ground) -> RecallConditions:
    return RecallConditions(
        storage=ground.database,
        registry=ground.registry,
        clock=ground.clock,
        guard=ground.storage_guard(),
    )
