"""How every part of the server is asked whether it is well."""

from app.bridge import Bridge
from app.ground import Ground
from domain.errors import BrokerUnavailableError, EventStreamLostError, StorageUnavailableError
from domain.services.health import CheckHealth, Probe
from domain.services.record_events import RecordEvents
from mqtt_bridge import health
from mqtt_bridge.intake import Intake


def check_health(
    ground: Ground, bridge: Bridge, intake: Intake, record: RecordEvents, version: str
) -> CheckHealth:
    """Make what asks every part how it is."""

    async def database() -> str | None:
        if not ground.ready.is_set():
            raise StorageUnavailableError("not connected yet")
        await ground.database.check()
        return None

    async def broker() -> str | None:
        sessions = (bridge.telemetry_session, bridge.control_session)
        for session in sessions:
            if not session.connected:
                reason = session.guard.last_error or "not connected yet"
                raise BrokerUnavailableError(f"{session.guard.name}: {reason}")
        return f"{ground.broker.host}:{ground.broker.port}"

    async def events() -> str | None:
        if not ground.events.available:
            raise EventStreamLostError("live events cannot be told now")
        return f"{ground.events.counts.listeners} listeners"

    async def system_events() -> str | None:
        counts = record.counts
        return (
            f"waiting {record.waiting}; recorded {counts.recorded}; repeated {counts.repeated}; "
            f"dropped {counts.dropped}; refused {counts.refused}"
        )

    probes: dict[str, Probe] = {
        "database": database,
        "broker": broker,
        "broker telemetry": health.telemetry(bridge.telemetry_session, intake),
        "broker control": health.control(bridge.control_session, bridge.control),
        "events": events,
        "system events": system_events,
    }
    return CheckHealth(
        probes=probes, clock=ground.clock, version=version, started=ground.clock.monotonic()
    )
