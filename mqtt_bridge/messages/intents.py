"""How newest firmware tells what became of each order (device protocol, section 1.11)."""

from dataclasses import dataclass, field

from domain.intents import Outcome
from mqtt_bridge.messages.base import Details, FromDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentOutcome(FromDevice):
    """What became of an order; a repeat has the same `intent_id` and `outcome`.

    Attributes:
        flow: Which kind of order: `command`, `config`, `zone`, `subzone_assign` …
        intent_id: The order's id; made from the message itself where the device sent none.
        synthetic: Whether it was made so.
        code: `NONE`, or the firmware's word for what stood in the way.
        generation: The configuration's generation; 0: none.
        critical: Whether the device stores and repeats it until the server has it.
    """

    flow: str
    intent_id: str
    synthetic: bool
    outcome: Outcome
    code: str = ""
    reason: str = ""
    correlation_id: str | None = None
    generation: int = 0
    epoch: int | None = None
    retryable: bool = False
    critical: bool = False
    recovered: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing follows any more."""
        return self.outcome is not Outcome.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentLifecycle(FromDevice):
    """A stage that an order or a waiting configuration reached inside the device."""

    event: str
    details: Details = field(default_factory=dict)
