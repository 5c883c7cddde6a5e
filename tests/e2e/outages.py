"""What a power cut does to broker and database; and how they come back."""

import os
import signal

from app.embedded.service import Service


def cut_off(service: Service) -> None:
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)


async def bring_back(service: Service) -> None:
    await service.stop()
    await service.start()
