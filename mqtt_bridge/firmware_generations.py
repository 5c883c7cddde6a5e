"""What the messages of devices tell of their firmware, on its way to who keeps it."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.devices import FirmwareEvidence, Heartbeat
from mqtt_bridge.control import Control
from mqtt_bridge.dialects import evidence
from mqtt_bridge.messages import Inbound


@dataclass(frozen=True, slots=True)
class FirmwareWire:
    """Looks at every live message for what gives its sender away.

    Attributes:
        learn: Told which device wrote as which generations do.
    """

    learn: Callable[[str, FirmwareEvidence], None]

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear; to be called after whoever makes new devices known."""
        control.on_every(self._hear)
        control.on(Heartbeat, self._hear_again)

    def _hear(self, esp_id: str, message: Inbound) -> None:
        told = evidence(message)
        if told is not None:
            self.learn(esp_id, told)

    async def _hear_again(self, heartbeat: Heartbeat) -> None:
        # The first heartbeat of a device is what makes it known.
        self._hear(heartbeat.esp_id, heartbeat)
