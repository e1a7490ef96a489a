"""A browser without a screen that tests can drive: Chromium, by its own protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.sync.client import ClientConnection, connect

_STARTS_WITHIN_S = 60.0


class Browser:
    """One page of a browser; `errors` are what its console and its policy complained of;
    `requested` what it asked for, once `Network.enable` was called."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.errors: list[str] = []
        self.requested: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command of the DevTools protocol, and its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]  # type: ignore[no-any-return]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, condition: str, timeout_s: float = 60.0) -> None:
        end_s = time.monotonic() + timeout_s
        while not self.run(condition):
            assert time.monotonic() < end_s, f"never: {condition}"
            time.sleep(0.05)

    def show_as(self, *, scheme: str = "light", media: str = "", width: int = 1200) -> None:
        """As a person has it: light or dark, on the screen or printed."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def picture(self, path: Path, *, transparent: bool = False) -> None:
        """The whole page as a PNG."""
        if transparent:
            color = {"r": 0, "g": 0, "b": 0, "a": 0}
            self.call("Emulation.setDefaultBackgroundColorOverride", color=color)
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"]))
        elif method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium with a fresh profile; skips the test where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [program, *flags, "--hide-scrollbars", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port_file = profile / "DevToolsActivePort"
        port = _until(lambda: port_file.is_file() and port_file.read_text().split("\n")[0])
        pages = _until(lambda: _pages(str(port)))
        with connect(pages[0]["webSocketDebuggerUrl"], max_size=None, origin=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(30)


def _pages(port: str) -> list[dict[str, Any]]:
    with urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
        return [target for target in json.load(answer) if target["type"] == "page"]


def _until(ask: Callable[[], Any]) -> Any:
    end_s = time.monotonic() + _STARTS_WITHIN_S
    while not (answer := ask()):
        assert time.monotonic() < end_s, "the browser did not start"
        time.sleep(0.05)
    return answer
