"""What switches actuators on and off, put together: commands, and the watchdog of their leases."""

from uuid_utils.compat import uuid7

from app.bridge import Bridge
from app.ground import Ground
from domain.services.command import SendCommand
from domain.services.record_events import RecordEvents
from domain.services.report_events import ReportEvents
from domain.services.watch_leases import WatchLeases


def send_command(ground: Ground, bridge: Bridge, reports: ReportEvents) -> SendCommand:
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
