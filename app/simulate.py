"""Virtual devices from the command line, against any broker."""

import asyncio
from collections.abc import Callable

from app.clock import SystemClock
from app.errors import StartError
from app.process import run_jobs, stop_on_signals
from domain.errors import BadInputError
from mqtt_bridge.session import BrokerAddress
from simulator.connections import mqtt
from simulator.fleet import Fleet
from simulator.greenhouse import uniform


async def simulate(
    *, mqtt_url: str, devices: int, interval: float, seed: int, say: Callable[[str], None]
) -> None:
    """Run a fleet until SIGINT or SIGTERM, telling every second what it did.

    Raises:
        StartError: The URL is none.
    """
    try:
        address = BrokerAddress.from_url(mqtt_url)
    except BadInputError as error:
        raise StartError(f"--mqtt-url: {error}") from None
    clock = SystemClock()
    fleet = Fleet(
        devices=uniform(devices, interval, seed), connect=mqtt(address, clock), clock=clock
    )

    async def tell() -> None:
        while True:
            await clock.sleep(1.0)
            report = fleet.report()
            say(
                f"{report.connected}/{devices} devices, {report.sent} messages sent, "
                f"{report.acked} confirmed, {report.lost} lost, {report.obeyed} commands obeyed"
            )
            if report.trouble and report.connected < devices:
                say(f"  not connected: {report.trouble}; trying again")

    stop = asyncio.Event()
    stop_on_signals(stop)
    await run_jobs({"fleet": fleet.run, "report": tell}, stop, _nothing)


async def _nothing() -> None:
    """A fleet has no work in hand that must be finished."""
