"""Debian's Chromium, headless and without a line to anywhere but this machine.

As root it has no sandbox of its own; all it is shown here is our page.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.e2e.harness import need

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-lcd-text",
)


@contextlib.contextmanager
def browser(*more: str) -> Iterator["Chrome"]:
    """Run a browser with a profile of its own, and with more arguments."""
    chromium, driver = need("chromium"), need("chromedriver")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*_ARGUMENTS, *more, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        chrome = Chrome(options, ChromeService(driver))
        try:
            yield chrome
        finally:
            chrome.quit()


def set_screen(chrome: "Chrome", width: int, height: int, *, scale: float = 1.0) -> None:
    """Have the page shown in so many pixels of CSS."""
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600},
    )


def set_colours(chrome: "Chrome", scheme: str) -> None:
    """Prefer `light` or `dark`."""
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
