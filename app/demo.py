"""The demo: the whole server, and a small greenhouse of virtual devices that live in it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from shlex import quote

from app.clock import SystemClock
from app.ground import Addresses
from app.process import Job
from app.serve import serve
from app.settings import Settings
from app.wiring import Server, Told
from domain.actuators import Pin
from domain.ports import Clock
from mqtt_bridge.session import BrokerAddress
from schema.context import Services
from simulator.connections import mqtt
from simulator.devices import VirtualDevice
from simulator.fleet import Fleet
from simulator.greenhouse import greenhouse
from simulator.processing import Processor, over_http

SAMPLE_SECONDS = 2.0
"""Short enough that somebody who looks sees values move."""

_LOOK_EVERY = 0.2


async def demo(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Run server and greenhouse until SIGINT or SIGTERM.

    Args:
        settings: What the operator wants.
        say: Prints a line for the person who started it.

    Raises:
        ExceptionGroup: See `app.serve.serve`.
    """
    say("Starting PostgreSQL, the broker and the server …")
    passwords: list[str] = []
    clock = SystemClock()
    devices = greenhouse(interval=SAMPLE_SECONDS)

    def greenhouse_jobs(server: Server, addresses: Addresses) -> Mapping[str, Job]:
        connect = mqtt(BrokerAddress.from_url(addresses.broker), clock)
        call = over_http(settings.http_host, settings.http_port)
        host = f"{settings.http_host}:{settings.http_port}"
        processors = {
            device.esp_id: Processor(host=host, call=call, clock=clock)
            for device in devices
            if device.asks_server
        }
        fleet = Fleet(devices=devices, connect=connect, clock=clock, processors=processors)
        return {
            "greenhouse": lambda: _live(fleet, server.services, clock),
            "gardener": lambda: _name_everything(devices, server.services, clock),
        }

    def ready(addresses: Addresses) -> None:
        _say_where(settings, addresses, passwords, say)

    told = Told(password=passwords.append, ready=ready)
    await serve(settings, told, further_jobs=greenhouse_jobs)


async def _live(fleet: Fleet, services: Services, clock: Clock) -> None:
    """Run the devices once somebody listens: a heartbeat that nobody heard is said again in 5 s."""
    while (await services.check_health()).status != "ok":
        await clock.sleep(_LOOK_EVERY)
    await fleet.run()


async def _name_everything(
    devices: Sequence[VirtualDevice], services: Services, clock: Clock
) -> None:
    """Do what a grower does in the first minute: approve the devices, and name what they have."""
    for device in devices:
        while (known := services.registry.device(device.esp_id)) is None:
            await clock.sleep(_LOOK_EVERY)
        if known.name is not None:
            continue
        await services.configure.approve_device(device.esp_id, device.name)
        for actuator in device.actuators:
            pin = Pin(device.esp_id, actuator.gpio)
            await services.configure.set_actuator(pin, actuator.actuator_type, name=actuator.name)
    await asyncio.Event().wait()


def _say_where(
    settings: Settings, addresses: Addresses, passwords: Sequence[str], say: Callable[[str], None]
) -> None:
    url = f"http://{settings.http_host}:{settings.http_port}"
    say("")
    say("  God-Kaiser runs, with a simulated greenhouse of four devices.")
    say("")
    say(f"  GraphiQL, to look around   {url}/graphql")
    say(f"  MQTT broker for devices    {addresses.broker}")
    say(f"  Data directory             {settings.data_dir}")
    if passwords:
        say(f"  Sign in as                 admin, password {passwords[0]}  (shown this once)")
    else:
        say("  Sign in as                 admin, with the password that the first start showed")
        say(f"  Forgotten?                 Ctrl-C, then {_reset_command(settings)}")
    say("")
    say("  Ctrl-C ends all of it.")
    say("")


def _reset_command(settings: Settings) -> str:
    directory = quote(str(settings.data_dir))  # not where the other commands look by themselves
    return f"KAISER_DATA_DIR={directory} ./kaiser create-admin admin --reset"
