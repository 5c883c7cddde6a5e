"""A server that is wrong on purpose: nobody looks when leases end.

What the tests of leases are measured against: where this one leaves nothing on, they prove nothing.
"""

import asyncio
import os

from app.serve import serve
from app.settings import load_settings
from app.wiring import Told


async def idle() -> None:
    """Stand in for the watchdog, and do nothing."""
    await asyncio.Event().wait()


if __name__ == "__main__":
    told = Told(password=lambda _password: None)
    settings = load_settings(os.environ)
    asyncio.run(serve(settings, told, further_jobs=lambda _server, _at: {"leases": idle}))
