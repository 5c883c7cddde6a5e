"""A device that lives and answers no command is told from one that is gone."""

from datetime import timedelta

import pytest

from domain.actuators import CommandStatus
from domain.silence import ENOUGH, Silence, after_command, after_heartbeat
from tests.fakes import START
from tests.makers import make_command


def timed_out(second: int, silence: Silence | None = None) -> Silence:
    command = make_command(
        status=CommandStatus.TIMED_OUT, sent_at=START + timedelta(seconds=second)
    )
    return after_command(silence or Silence(), command)


def unanswered(count: int) -> Silence:
    silence = Silence()
    for second in range(count):
        silence = timed_out(second, silence)
    return silence


LATER = START + timedelta(seconds=ENOUGH)
BEFORE = START + timedelta(seconds=ENOUGH - 2)


def test_enough_unanswered_commands_and_a_newer_heartbeat_make_a_device_deaf() -> None:
    assert after_heartbeat(unanswered(ENOUGH), LATER).deaf


def test_fewer_unanswered_commands_do_not() -> None:
    assert not after_heartbeat(unanswered(ENOUGH - 1), LATER).deaf


def test_a_heartbeat_from_before_the_last_command_does_not() -> None:
    assert not after_heartbeat(unanswered(ENOUGH), BEFORE).deaf


@pytest.mark.parametrize("status", [CommandStatus.ACKNOWLEDGED, CommandStatus.FAILED])
def test_any_answer_ends_it(status: CommandStatus) -> None:
    deaf = after_heartbeat(unanswered(ENOUGH), LATER)
    answered = after_command(deaf, make_command(status=status, sent_at=LATER))
    assert answered == Silence()


@pytest.mark.parametrize(
    "status", [CommandStatus.FAILED, CommandStatus.REJECTED, CommandStatus.EXPIRED]
)
def test_a_command_that_was_never_sent_says_nothing(status: CommandStatus) -> None:
    silence = unanswered(2)
    assert after_command(silence, make_command(status=status, sent_at=None)) == silence


def test_deafness_lasts_while_commands_stay_unanswered() -> None:
    deaf = after_heartbeat(unanswered(ENOUGH), LATER)
    assert timed_out(ENOUGH + 5, deaf).deaf
