"""A server that is wrong on purpose: it acknowledges before it has stored.

What the crash test is measured against: where this one loses nothing, the test proves nothing.
"""

import asyncio
import os
from collections.abc import Sequence

from typing_extensions import override

from app.serve import serve
from app.settings import load_settings
from app.wiring import Told
from mqtt_bridge.intake import Intake, Source
from mqtt_bridge.session import Delivery


class EarlyIntake(Intake):
    """Tells the broker that a message is safe as soon as it has arrived."""

    @override
    def hear(self, source: Source, delivery: Delivery) -> None:
        source.acknowledge([delivery])
        Intake.hear(self, source, delivery)

    @staticmethod
    @override
    def _acknowledge(batch: Sequence[object]) -> None:
        """Everything was acknowledged when it arrived."""


if __name__ == "__main__":
    told = Told(password=lambda _password: None)
    asyncio.run(serve(load_settings(os.environ), told, intake_type=EarlyIntake))
