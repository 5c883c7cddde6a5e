"""Devices that are there and answer no command: heartbeats arrive, and nothing else comes back.

An early firmware generation subscribes only when it starts: after it lost the broker once it goes
on talking but hears nothing, until it is switched off and on (device protocol, section 3.3).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.actuators import Command, CommandStatus

ENOUGH = 3
"""Commands in a row without an answer, before a living device counts as deaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What one device left unanswered.

    Attributes:
        unanswered: Commands in a row that it did not answer.
        last_sent_at: When the last of them was sent.
        deaf: Whether it was found to be deaf, and has not answered since.
    """

    unanswered: int = 0
    last_sent_at: datetime | None = None
    deaf: bool = False


def after_command(silence: Silence, command: Command) -> Silence:
    """Return what a device's silence has become by the end of a command.

    Only commands that reached the broker count; any answer, refusals too, breaks the silence.
    """
    if command.sent_at is None:
        return silence
    match command.status:
        case CommandStatus.TIMED_OUT:
            return replace(silence, unanswered=silence.unanswered + 1, last_sent_at=command.sent_at)
        case CommandStatus.ACKNOWLEDGED | CommandStatus.FAILED:
            return Silence()
        case _:
            return silence


def after_heartbeat(silence: Silence, heard_at: datetime) -> Silence:
    """Return what a device's silence has become by a sign of life.

    It is deaf when enough commands went unanswered, and it lives after the last of them: one that
    died after its last heartbeat is not deaf but gone.
    """
    lives = silence.last_sent_at is not None and heard_at > silence.last_sent_at
    return replace(silence, deaf=True) if lives and silence.unanswered >= ENOUGH else silence
