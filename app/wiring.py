"""The composition root: every object is made here, once; production and tests call it."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger
from uuid_utils.compat import uuid7

from app import asgi, graphiql
from app.bridge import finish
from app.graphql import Endpoint, build_schema
from app.ground import Addresses, Ground
from app.health import check_health
from app.parts import Parts, make_parts
from app.process import Job
from app.processing import legacy_routes
from app.security import Argon2Passwords, JwtIssuer
from app.settings import Settings
from domain.devices import Discovery
from domain.services.accounts import Accounts
from domain.services.configure import Configure
from domain.services.protect import Protect
from domain.services.report_sources import ReportSources
from mqtt_bridge.dialects import capabilities
from mqtt_bridge.intake import Intake
from schema.context import Services
from storage.connection import Database

VERSION = "0.1.0"

COLLECTED_AFTER = 20_000
"""New objects after which the garbage collector looks at them: a few batches of readings.

Python's own 700 is less than one batch: it would look at each many times over while it is still
needed, a twelfth of all that ingest costs. To look at 20,000 takes about a millisecond.
"""

_log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the operator is told besides the log.

    Attributes:
        password: Called with the generated password of the first administrator: no log may hold it.
        ready: Called once the database is there and everything may begin.
    """

    password: Callable[[str], None]
    ready: Callable[[Addresses], None] = lambda _addresses: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A wired server, not running yet.

    Attributes:
        app: What answers HTTP.
        services: What resolvers, and whoever runs beside the server, work with.
        jobs: What must run beside it, by name.
        finish: Brings the work in hand to an end.
        database: To be closed when the jobs have ended.
    """

    app: Starlette
    services: Services
    jobs: Mapping[str, Job]
    finish: Callable[[], Coroutine[Any, Any, None]]
    database: Database


def wire_up(
    settings: Settings,
    addresses: Addresses,
    secret_key: str,
    told: Told,
    *,
    intake_type: type[Intake] = Intake,
) -> Server:
    """Wire a server.

    Args:
        settings: What the operator wants.
        addresses: Where its parts are.
        secret_key: Signs the tokens; at least 32 bytes.
        told: What the operator hears.
        intake_type: Another way in, for the tests that prove what this one is good for.

    Returns:
        The server's parts.
    """
    ground = Ground(addresses, Discovery(settings.discovery), settings.defaults)
    accounts = _accounts(ground, secret_key)
    parts = make_parts(ground, settings, intake_type)
    health = check_health(ground, parts.bridge, parts.intake, parts.record, VERSION)
    services = Services(
        storage=ground.database.once(ground.ready),
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        accounts=accounts,
        configure=_configure(ground, parts),
        calibrate=parts.calibrate,
        recompute=parts.recompute,
        rehearse=parts.rehearse,
        convert=parts.convert,
        process=parts.process,
        send_command=parts.send_command,
        emergency=parts.emergency,
        manage_rules=parts.rules,
        send_order=parts.send_order,
        install_libraries=parts.install_libraries,
        reload_libraries=parts.libraries.reload,
        watch_relays=parts.relays,
        watch_thresholds=parts.thresholds,
        watch_interlocks=parts.interlocks,
        protect=_protect(ground, parts),
        check_health=health,
        started=ground.ready,
        capabilities=capabilities,
        time_zone=settings.timezone,
    )
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    return Server(
        app=asgi.build(
            Endpoint(build_schema(), services),
            health,
            _routes(ground, parts, settings, accounts),
        ),
        services=services,
        jobs={
            "events": ground.events.run,
            "storage": lambda: _open_storage(ground, parts, accounts, password, told),
            "flood watch": parts.intake.watch_floods,
            "sensor libraries": parts.libraries.reload.run,
            **{name: ground.once_ready(job) for name, job in parts.jobs().items()},
        },
        finish=lambda: finish(parts.intake, parts.bridge, parts.record),
        database=ground.database,
    )


def _routes(
    ground: Ground, parts: Parts, settings: Settings, accounts: Accounts
) -> list[BaseRoute]:
    legacy = legacy_routes(ground, parts.process, settings.process_rate, accounts, parts.emergency)
    return [*legacy, *graphiql.routes()]


def _accounts(ground: Ground, secret_key: str) -> Accounts:
    return Accounts(
        storage=ground.database,
        passwords=Argon2Passwords(),
        tokens=JwtIssuer(secret_key),
        clock=ground.clock,
        new_id=uuid7,
    )


def _configure(ground: Ground, parts: Parts) -> Configure:
    recipe = parts.convert.libraries.recipe
    sources = ReportSources(record=parts.record, registry=ground.registry, recipe=recipe)
    return Configure(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        leases=ground.leases,
        new_id=uuid7,
        changed=parts.synchronise.changed,
        admitted=parts.devices.admit,
        unit_of=parts.limits.unit,
        recipe=recipe,
        removed=sources.removed,
    )


def _protect(ground: Ground, parts: Parts) -> Protect:
    return Protect(
        registry=ground.registry,
        unit_of=parts.limits.unit,
        measured_in=partial(ground.world.unit, unit_of=parts.limits.unit),
        defaults=ground.defaults,
    )


async def _open_storage(
    ground: Ground,
    parts: Parts,
    accounts: Accounts,
    password: str | None,
    told: Told,
) -> None:
    guard, database = ground.start_guard(), ground.database
    await guard.insist(database.connect)
    # First of all: whoever may act from now on must know what is stopped.
    for load in (
        parts.emergency.load,
        parts.leases.load,
        parts.thresholds.load,
        parts.relays.load,
    ):
        await guard.insist(load)
    await guard.insist(lambda: ground.registry.load(database))
    await guard.insist(ground.world.load)
    await guard.insist(parts.rules.automate.load)
    generated = await guard.insist(lambda: accounts.ensure_first_admin(password))
    if generated is not None:
        told.password(generated)
    _set_aside_what_stays()
    ground.ready.set()
    _log.info("server.ready")
    told.ready(ground.addresses)
    await asyncio.Event().wait()


def _set_aside_what_stays() -> None:
    """Keep the garbage collector from what was made for good, such as modules and the schema.

    To walk through all of it takes a tenth of a second, again and again while readings come in, and
    nothing else happens meanwhile: no stop goes out.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
