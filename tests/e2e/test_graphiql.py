"""GraphiQL as a browser shows it in a greenhouse without internet: no name but ours resolves."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.server import ServerProcess

BROWSER = shutil.which("chromium")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=10000",
]


@pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"),
    reason="chromium is not installed: sudo apt install chromium",
)
async def test_a_browser_without_internet_shows_the_editor_with_its_first_queries(
    server: ServerProcess, directory: Path
) -> None:
    assert BROWSER is not None, "chromium is missing"
    profile = f"--user-data-dir={directory / 'browser'}"
    browser = await asyncio.create_subprocess_exec(
        BROWSER, *QUIET, OFFLINE, profile, "--dump-dom", f"{server.url}/graphql",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(90):
        page = (await browser.communicate())[0].decode()
    # None of this stands in the page as it is sent: scripts of the wheel have put it there.
    for shown in ("graphiql-container", "CodeMirror-line", "Greenhouse", "LiveReadings"):
        assert shown in page
