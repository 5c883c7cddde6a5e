"""What conversion takes from the rate at which readings come in.

`python -m bench.converted_ingest [--quick]`: floods as in `bench.ingest`, in pairs, one right after
the other and the first one in turns: in one the server converts, in the other the devices did.
Everything else is the same, so the ratio is that of the conversion, whatever the machine does
meanwhile. Thermometers alone; calibrated pH electrodes alone; and both together, each electrode
compensated with what its thermometer says, which its readings then name. What that naming costs is
mostly PostgreSQL's: with electrodes alone, each compensated, there is an upper limit to be seen.
"""

import argparse
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import asyncpg
import uvloop

from bench.ingest import check_exactly_once, publish
from bench.parts import Parts, running_parts, running_server
from bench.reporting import Report

_AIM = ">= 0.85"
_FIRST = 2000
"""Messages that make the sensors known."""

_CALIBRATE = """
UPDATE sensor SET parameters = '{"slope": -5.66, "offset": 15.49, "temperature": 25}'
WHERE sensor_type = 'ph'
"""

_COMPENSATE = """
UPDATE sensor SET
    parameters = '{"slope": -5.66, "offset": 15.49}',
    sources = jsonb_build_object('temperature', jsonb_build_array(
        device.esp_id, probe.gpio, probe.sensor_type, probe.address))
FROM sensor probe JOIN device ON device.id = probe.device_id
WHERE sensor.sensor_type = 'ph' AND probe.sensor_type = 'ds18b20'
AND sensor.device_id = probe.device_id
"""


class _Case(NamedTuple):
    """What devices have, and how much of it has an aim.

    Attributes:
        setup: Makes the sensors so.
        inputs: The share of readings that name what they took from others.
    """

    name: str
    probes: tuple[str, ...]
    setup: str
    inputs: float = 0.0
    aim: str = _AIM


_CASES = (
    _Case("ds18b20", ("ds18b20",), _CALIBRATE),
    _Case("ph, calibrated", ("ph",), _CALIBRATE),
    _Case("ds18b20 and ph compensated by it", ("ds18b20", "ph"), _COMPENSATE, 0.5),
    _Case("ph, compensated, alone", ("ph",), _COMPENSATE, 1.0, aim=""),
)


async def measure(messages: int, pairs: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts:
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts) as running:
                await publish(running, database, _FIRST, "--probes", "ds18b20", "ph")
            for setup in (_CALIBRATE, _COMPENSATE):
                await database.execute(setup)
                async with running_server(parts) as running:
                    # What it takes the temperatures from.
                    await publish(running, database, _FIRST)
                    for case in _CASES:
                        if case.setup == setup:
                            await _compare(running, database, case, (messages, pairs), report)
        finally:
            await database.close()


async def _compare(
    parts: Parts,
    database: asyncpg.Connection,
    case: _Case,
    size: tuple[int, int],
    report: Report,
) -> None:
    messages, pairs = size
    converted: list[float] = []
    final: list[float] = []
    for pair in range(pairs):
        turns = [(converted, "PI_ENHANCED"), (final, "LOCAL")]
        for rates, mode in reversed(turns) if pair % 2 else turns:
            by_devices = mode == "LOCAL"
            options = ["--probes", *case.probes, *(["--final"] if by_devices else [])]
            rates.append(await _flood(parts, database, messages, options))
            await _check(database, mode, 0.0 if by_devices else case.inputs * messages)
            await check_exactly_once(database, messages, report)
            report.notes.pop()
    report.add(f"{case.name}: the server converts", median(converted), "messages/s")
    report.add(f"{case.name}: the devices do", median(final), "messages/s")
    ratios = [with_it / without for with_it, without in zip(converted, final, strict=True)]
    report.add(f"{case.name}: with to without", median(ratios), "", target=case.aim)
    report.notes.append(f"{case.name}: pairs {_listed(ratios)}")


async def _flood(
    parts: Parts, database: asyncpg.Connection, messages: int, options: Sequence[str]
) -> float:
    """Return how many a second were rows."""
    started = await publish(parts, database, messages, *options)
    last = await database.fetchval("SELECT max(pg_xact_commit_timestamp(xmin)) FROM reading")
    return messages / float(last.timestamp() - started)


async def _check(database: asyncpg.Connection, mode: str, inputs: float) -> None:
    """Make sure that the flood was what it is called.

    Raises:
        RuntimeError: It was not.
    """
    [row] = await database.fetch(
        "SELECT count(*) FILTER (WHERE mode <> $1) AS others, "
        "count(*) FILTER (WHERE metadata -> 'inputs' IS NOT NULL) AS inputs "
        "FROM reading JOIN conversion ON conversion.id = conversion_id",
        mode,
    )
    if row["others"] or row["inputs"] != inputs:
        raise RuntimeError(f"not all readings are {mode} with {inputs:g} inputs: {dict(row)}")


def _listed(ratios: Sequence[float]) -> str:
    return ", ".join(f"{ratio:.2f}" for ratio in ratios)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 30 seconds")
    parser.add_argument("--messages", type=int, default=50_000, help="in each flood")
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    messages, pairs = (15_000, 3) if options.quick else (options.messages, options.pairs)
    report = Report(benchmark="converted_ingest", settings={"flood": messages, "pairs": pairs})
    uvloop.run(measure(messages, pairs, report))
    report.finish()


if __name__ == "__main__":
    main()
