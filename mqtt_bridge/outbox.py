"""Commands that wait for their device's answer: which answer belongs to which command.

Newest firmware repeats the correlation id; most repeats nothing, so there is at most one command
under way per pin, and an answer without an id belongs to that one.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from domain.actuators import CommandResponse, Pin


@dataclass(slots=True)
class Outbox:
    """Open commands by pin.

    Attributes:
        unmatched: Answers that nobody waited for: late, doubled, or to somebody else's command.
    """

    unmatched: int = 0
    _open: dict[Pin, tuple[str, str, asyncio.Future[CommandResponse]]] = field(default_factory=dict)

    def open(self, pin: Pin, correlation_id: str, action: str) -> asyncio.Future[CommandResponse]:
        """Start to listen for the answer to a command.

        Raises:
            ValueError: Another command is under way on this pin.
        """
        if pin in self._open:
            raise ValueError(f"a command is under way on {pin}")
        answer: asyncio.Future[CommandResponse] = asyncio.get_running_loop().create_future()
        self._open[pin] = (correlation_id, action, answer)
        return answer

    def close(self, pin: Pin) -> None:
        """Stop to listen."""
        del self._open[pin]

    def refuse(self, esp_id: str, correlation_id: str, reason: str, at: datetime) -> None:
        """End the command with this id, if it is open on this device, as one that was refused."""
        for pin, (known, action, waiting) in self._open.items():
            if known == correlation_id and pin.esp_id == esp_id and not waiting.done():
                waiting.set_result(
                    CommandResponse(
                        pin=pin,
                        received_at=at,
                        success=False,
                        message=reason,
                        correlation_id=known,
                        action=action,
                    )
                )

    def answer(self, response: CommandResponse) -> None:
        """Give an answer to the command it belongs to.

        An answer that names another correlation id, or another command word, is not ours: it is
        late, or somebody else spoke to the device.
        """
        correlation_id, action, waiting = self._open.get(response.pin, ("", "", None))
        mine = (
            response.correlation_id == correlation_id
            if response.correlation_id is not None
            else response.action in {None, action}
        )
        if waiting is None or waiting.done() or not mine:
            self.unmatched += 1
        else:
            waiting.set_result(response)
