"""GraphiQL, for people who open `/graphql` in a browser.

A greenhouse may have no internet, so nothing is loaded from anywhere else: our own small page signs
people in, and GraphiQL itself comes out of a package of which only the files are used.
"""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_OURS = Path(__file__).parent / "static" / "graphiql"
_PACKAGE = "graphene_django_graphiql_static"
_PAGE = "index.html"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_SOURCES = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # the editor positions its lines by inline styles
    "font-src": "'self' data:",  # GraphiQL's style sheet carries its fonts
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
"""What the page may load, and from where."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Site:
    """The page and its files; `version` changes with any of them, so they may be kept for ever."""

    page: bytes
    files: dict[str, File]
    version: str


def page() -> Response:
    """Return the page."""
    return Response(
        _site().page,
        media_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": "no-cache",
            "Content-Security-Policy": "; ".join(map(" ".join, _SOURCES.items())),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


def routes() -> list[BaseRoute]:
    """Return the routes of the files that the page loads."""
    return [Route(f"{_address(_site().version)}/{{name}}", _file)]


async def _file(request: Request) -> Response:
    file = _site().files.get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    content = file.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = await asyncio.to_thread(_compressed, request.path_params["name"])
    return Response(content, media_type=file.media_type, headers=headers)


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_site().files[name].content)


@cache
def _site() -> Site:
    """Read all files; they are part of the program, and as constant as it is.

    Raises:
        FileNotFoundError: The package of GraphiQL's files is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{_PACKAGE} is missing: install requirements.lock")
    theirs = Path(spec.submodule_search_locations[0]) / "static" / _PACKAGE
    files = {
        path.name: File(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted((*theirs.iterdir(), *_OURS.iterdir()))
        if path.suffix in _TYPES
    }
    page = (_OURS / _PAGE).read_text()
    digest = hashlib.sha256(page.encode())
    for name, file in sorted(files.items()):
        digest.update(name.encode() + file.content)
    version = digest.hexdigest()[:12]
    return Site(page.replace("{static}", _address(version)).encode(), files, version)


def _address(version: str) -> str:
    return f"/static/graphiql/{version}"
