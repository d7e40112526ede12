"""A headless Chromium, driven through its own protocol."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from websocket import create_connection

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 120


class Page:
    """One page: opened, waited for, asked, pictured."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self._number = 0

    def _call(self, method: str, **params):
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._connection.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def ask(self, expression: str):
        """The value of a JavaScript expression."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def open(self, address: str, *, until: str) -> str:
        """Go to an address; the page's text once a JavaScript condition holds."""
        # Else a page that differs only after its # would not be loaded anew.
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=address)
        end = time.monotonic() + PATIENCE
        while not self.ask(until):
            text = self.ask("document.body ? document.body.innerText : ''")
            assert time.monotonic() < end, f"{address}: {until} never held: {text[:2000]}"
            time.sleep(0.2)
        return self.ask("document.body.innerText")

    def resize(self, width: int, height: int = 900) -> None:
        """Be as wide and high as a screen, in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("Emulation.setDeviceMetricsOverride", **size)

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])

    def picture(self, path: Path) -> None:
        """Keep what is to be seen as a PNG."""
        data = self._call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def page() -> Iterator[Page]:
    """A browser with one page, which ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu"),
            *("--disable-dev-shm-usage", "--remote-debugging-port=0"),
            *("--remote-allow-origins=*", f"--user-data-dir={profile}"),
            *("--window-size=2600,1100", "about:blank"),
        ]
        browser = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            with closing(create_connection(_address(browser), timeout=PATIENCE)) as connection:
                yield Page(connection)
        finally:
            browser.terminate()
            browser.communicate(timeout=30)


def _address(browser: subprocess.Popen) -> str:
    port = next(
        found[1] for line in browser.stderr if (found := re.search(r"ws://[^:]+:(\d+)/", line))
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as answer:
        pages = [one for one in json.load(answer) if one["type"] == "page"]
    return pages[0]["webSocketDebuggerUrl"]
