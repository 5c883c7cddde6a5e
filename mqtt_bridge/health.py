"""How the two connections to the broker are, in one line each, for those who ask after health.

The counts stand there also while the broker is away: they say whether anything piles up meanwhile.
"""

from collections.abc import Awaitable, Callable

from domain.errors import BrokerUnavailableError
from mqtt_bridge.control import Control
from mqtt_bridge.intake import Intake
from mqtt_bridge.session import MqttSession

Probe = Callable[[], Awaitable[str]]


def telemetry(session: MqttSession, intake: Intake) -> Probe:
    """Return what asks after the connection that readings come in on."""

    def counts() -> str:
        heard = intake.counts
        return (
            f"backlog {intake.backlog}; unacknowledged {intake.unacknowledged}; "
            f"heard {heard.messages}; retained {heard.retained}; malformed {heard.malformed}; "
            f"dropped {heard.dropped}; pauses {heard.pauses}"
        )

    return _probe(session, counts)


def control(session: MqttSession, link: Control) -> Probe:
    """Return what asks after the connection of everything else, and of all publishing."""

    def counts() -> str:
        published = session.published
        return (
            f"backlog {link.backlog}; in flight {published.in_flight}; "
            f"published {published.confirmed}; refused {published.refused}"
        )

    return _probe(session, counts)


def _probe(session: MqttSession, counts: Callable[[], str]) -> Probe:
    async def probe() -> str:
        state = f"breaker {session.guard.state.value}; {counts()}"
        if not session.connected:
            reason = session.guard.last_error or "not connected yet"
            raise BrokerUnavailableError(f"{reason}; {state}")
        return f"connected; {state}"

    return probe
