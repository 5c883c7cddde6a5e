"""The demo: the whole server, and a small greenhouse of virtual devices that live in it."""

from collections.abc import Callable

from app.clock import SystemClock
from app.process import Job
from app.serve import serve
from app.settings import Settings
from app.wiring import Addresses, Told
from mqtt_bridge.session import BrokerAddress
from simulator.connections import mqtt
from simulator.fleet import Fleet
from simulator.greenhouse import greenhouse

SAMPLE_SECONDS = 2.0
"""Short enough that somebody who looks sees values move."""


async def demo(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Run server and greenhouse until SIGINT or SIGTERM.

    Args:
        settings: What the operator wants.
        say: Prints a line for the person who started it.

    Raises:
        StartError: It cannot start; the message says what to do.
    """
    say("Starting PostgreSQL, the broker and the server …")
    passwords: list[str] = []

    def greenhouse_jobs(addresses: Addresses) -> dict[str, Job]:
        clock = SystemClock()
        fleet = Fleet(
            devices=greenhouse(interval=SAMPLE_SECONDS),
            connect=mqtt(BrokerAddress.from_url(addresses.broker), clock),
            clock=clock,
        )
        return {"greenhouse": fleet.run}

    def ready(addresses: Addresses) -> None:
        host = settings.http_host
        say("")
        say(f"  God-Kaiser is running      http://{host}:{settings.http_port}/")
        say(f"  GraphiQL, to try things    http://{host}:{settings.http_port}/graphql")
        say(f"  MQTT broker for devices    {addresses.broker}")
        say(f"  Data directory             {settings.data_dir}")
        if passwords:
            say(f"  Sign in as                 admin, password {passwords[0]}  (shown this once)")
        else:
            say("  Sign in as                 admin, with the password of the first start")
            say("                             (forgotten? ./kaiser create-admin admin --reset)")
        say("")
        say("  Ctrl-C ends all of it.")
        say("")

    told = Told(password=passwords.append, ready=ready)
    await serve(settings, told, further_jobs=greenhouse_jobs)
