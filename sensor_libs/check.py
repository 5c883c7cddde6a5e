"""Tells the author of a library what is wrong with it: every finding, its line, and the next step.

The loader stops at the first mistake, because it only has to refuse. Here a person waits who wants
to write something, and who sees the file and not our code: so every finding points into the file.
"""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from traceback import walk_tb
from types import MappingProxyType
from typing import NamedTuple

from domain.units import find_unit
from sensor_libs.api import Quality, SensorLibrary
from sensor_libs.declarations import DeclarationError
from sensor_libs.loader import Catalog, Source, compile_source
from sensor_libs.vectors import misses, run

SLOW = 20e-6
"""Seconds that a conversion may take; thousands of readings a second wait for it."""

_PROBES = 200
_ROUNDS = 5


class Finding(NamedTuple):
    """Something that is wrong with a file.

    Attributes:
        line: Where; None: nowhere in particular.
        says: What is wrong, and what to do.
        is_error: Whether it keeps the library from being loaded; else it is advice.
    """

    line: int | None
    says: str
    is_error: bool = True


class Report(NamedTuple):
    """What was found out about a file.

    Attributes:
        libraries: What it defines.
        findings: In the order in which they should be dealt with.
        seconds: How long a conversion takes, by the name of its library.
    """

    libraries: Sequence[SensorLibrary]
    findings: Sequence[Finding]
    seconds: Mapping[str, float]

    @property
    def is_good(self) -> bool:
        """Whether the server would load it."""
        return not any(finding.is_error for finding in self.findings)


def check(source: Source, others: Catalog | None = None) -> Report:
    """Find out what is wrong with a library file.

    Args:
        source: The file as it was read.
        others: The libraries beside which it must live.
    """
    try:
        libraries = compile_source(source)
    except DeclarationError as error:
        where = _Where(source.content)
        findings = [
            Finding(where.field(error.name, m.field) or where.failed(error, source), m.says)
            for m in error.mistakes
        ]
        return Report((), findings, {})
    # Somebody else's code: it may raise anything, and its author wants to know what.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return Report((), [_failure(error, source)], {})
    where = _Where(source.content)
    found: list[Finding] = []
    seconds: dict[str, float] = {}
    for library in libraries:
        mistakes = list(_behaviour(library, where, source))
        found += mistakes
        if not any(mistake.is_error for mistake in mistakes):
            seconds[library.name] = _time(library)
            found += _advice(library, seconds[library.name], where)
    found += _conflicts(libraries, others, where) if others else ()
    return Report(libraries, found, seconds)


def _failure(error: BaseException, source: Source) -> Finding:
    says = f"the file does not run: {type(error).__name__}: {error}"
    if source.content is None:
        says = f"the file {source.fault}"
    elif isinstance(error, SyntaxError):
        says = f"this is no Python: {error.msg}"
    elif isinstance(error, TypeError) and "LIBRARIES" in str(error):
        says = f"the file {error}; end it with LIBRARIES = (SensorLibrary(...),)"
    return Finding(_Where.failed(error, source), says)


def _behaviour(library: SensorLibrary, where: "_Where", source: Source) -> Iterator[Finding]:
    """Run the vectors, then everything that the chip can say."""
    try:
        for miss in misses(library):
            line = where.vector(library.name, miss.number)
            says = f"{library.name}: {miss.says}; correct the formula, or the vector"
            yield Finding(line, says)
        for raw in _probes(library):
            yield from _oddities(library, raw, where)
    # The same: whatever it raises, its author wants to know.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        says = f"{library.name} fails with {type(error).__name__}: {error}"
        line = where.failed(error, source) or where.field(library.name, "convert")
        yield Finding(line, f"{says}; return Converted(None, Quality.ERROR, reason) instead")


def _oddities(library: SensorLibrary, raw: float, where: "_Where") -> Iterator[Finding]:
    parameters = _typical_parameters(library)
    first = library.measure(raw, parameters)
    line = where.field(library.name, "convert")
    if first.value is None and not first.reason:
        yield Finding(line, f"{library.name}: no value for {raw:g}, and no reason; give one")
    if first.value is not None and first.quality in {Quality.ERROR, Quality.UNKNOWN}:
        yield Finding(line, f"{library.name}: {first.quality} with a value for {raw:g}; give None")
    if library.measure(raw, parameters) != first:
        yield Finding(line, f"{library.name}: {raw:g} gives another result each time")


def _probes(library: SensorLibrary) -> Sequence[float]:
    """Return raw values from all over what the chip can say, its ends included."""
    if library.raw is None:
        return [0.0]
    low, high = library.raw.low, library.raw.high
    steps = [low + (high - low) * i / _PROBES for i in range(_PROBES + 1)]
    whole = {float(math.floor(step)) for step in steps if step >= low + 1} | {low, high}
    return sorted(whole)


def _typical_parameters(library: SensorLibrary) -> Mapping[str, float]:
    """Return the parameters of the first vector that has a value; without one, the defaults."""
    for vector in library.vectors:
        if vector.value is not None and not library.settle(vector.parameters).fault:
            return MappingProxyType(dict(vector.parameters))
    return MappingProxyType({})


def _time(library: SensorLibrary) -> float:
    """Return the seconds of a conversion in the fastest of some rounds: others work here, too."""
    best = math.inf
    for _ in range(_ROUNDS):
        start = perf_counter()
        for vector in library.vectors:
            run(library, vector)
        best = min(best, (perf_counter() - start) / len(library.vectors))
    return best


def _advice(library: SensorLibrary, seconds: float, where: "_Where") -> Iterator[Finding]:
    """Say what would make a library better that works."""
    name = library.name
    vectors = where.field(name, "vectors")
    if seconds > SLOW:
        slow = f"{name}: a conversion takes {seconds * 1e6:.0f} µs; it should take less than 20"
        yield Finding(where.field(name, "convert"), slow, is_error=False)
    if find_unit(library.unit) is None:
        says = f"{name}: {library.unit!r} is no unit known here, and converts into no other"
        yield Finding(where.field(name, "unit"), says, is_error=False)
    values = {vector.value for vector in library.vectors}
    if values == {None}:
        says = f"{name}: no vector has a value; add one of the data sheet"
        yield Finding(vectors, says, is_error=False)
    if None not in values:
        says = f"{name}: no vector must give no value; add what the chip says when it is broken"
        yield Finding(vectors, says, is_error=False)
    tried = {key for vector in library.vectors for key in vector.parameters}
    for parameter in library.parameters:
        if parameter.name not in tried:
            says = f"{name}: no vector tries another {parameter.name}"
            yield Finding(where.field(name, "parameters"), says, is_error=False)


def _conflicts(
    libraries: Sequence[SensorLibrary], others: Catalog, where: "_Where"
) -> Iterator[Finding]:
    taken = {library.name for files in others.files.values() for library in files}
    for library in libraries:
        if library.name in taken:
            says = f"there is a library {library.name} already; names are unique: choose another"
            yield Finding(where.field(library.name, "name"), says)
        for sensor_type in (*library.sensor_types, *library.aliases):
            if other := others.by_type.get(sensor_type):
                line = where.field(library.name, "sensor_types")
                says = f"{sensor_type} is read by {other.name} so far; this library goes first"
                yield Finding(line, says, is_error=False)


class _Where:
    """Finds the lines of declarations, as far as they are written out."""

    def __init__(self, content: bytes | None) -> None:
        self._calls: dict[str, ast.Call] = {}
        for node in ast.walk(ast.parse(content or b"")):
            if isinstance(node, ast.Call) and _called(node) == "SensorLibrary":
                name = _keyword(node, "name")
                text = name.value if isinstance(name, ast.Constant) else ""
                self._calls[str(text)] = node

    def field(self, library: str, field: str) -> int | None:
        """Return the line of a field, or where its library begins; None: it is not written out."""
        call = self._calls.get(library)
        if call is None:
            return None
        value = _keyword(call, field)
        return call.lineno if value is None else value.lineno

    def vector(self, library: str, number: int) -> int | None:
        """Return the line of a vector, or of all vectors."""
        call = self._calls.get(library)
        vectors = _keyword(call, "vectors") if call else None
        if isinstance(vectors, ast.Tuple) and number < len(vectors.elts):
            return vectors.elts[number].lineno
        return self.field(library, "vectors")

    @staticmethod
    def failed(error: BaseException, source: Source) -> int | None:
        """Return the line of the file that raised an error; the innermost one."""
        if isinstance(error, SyntaxError):
            return error.lineno
        frames = walk_tb(error.__traceback__)
        lines = [line for frame, line in frames if frame.f_code.co_filename == str(source.path)]
        return lines[-1] if lines else None


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
