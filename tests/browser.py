# SPDX-License-Identifier: GPL-2.0-or-later
"""A real browser: headless Chromium, spoken to over its DevTools pipe.

The pipe is two file descriptors with one JSON message after another, each ended by a NUL; see
https://chromedevtools.github.io/devtools-protocol/. No port is opened, and no driver is needed.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # the tests run as root, and the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
)

_FLAWS = """
(() => {
  const flaws = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (e) => e.tagName + " " + (e.id || e.textContent.trim().slice(0, 30));
  const blame = (words, found) => flaws.push(...found.map((e) => words + ": " + name(e)));
  blame("title without scope", all("th:not([scope])"));
  blame("table without a name", all("table").filter(
    (e) => !e.caption && !e.closest("[aria-label]")));
  blame("picture without words", all("svg").filter(
    (e) => e.getAttribute("role") === "img" ? !e.ariaLabel : e.ariaHidden !== "true"));
  blame("control without a label", all("input, select").filter((e) => !e.labels.length));
  blame("link to nowhere", all("a[href^='#']").filter(
    (e) => !document.getElementById(e.hash.slice(1))));
  blame("id used twice", all("[id]").filter((e, at, list) =>
    list.findIndex((other) => other.id === e.id) !== at));
  let level = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) blame("heading skips a level", [heading]);
    level = own;
  }
  if (all("h1").length !== 1) flaws.push("not one h1");
  return flaws;
})()
"""


class Browser:
    """Chromium with one page, and what went wrong on it.

    Attributes
    ----------
    complaints : what the console said at level warning or error, exceptions, and refused loads
    requests : what the page tried to load, itself left out
    """

    def __init__(self) -> None:
        program = next((found for name in NAMES if (found := shutil.which(name))), None)
        if program is None:
            raise AssertionError(
                "no Chromium on PATH: the reports are tested in a real browser; "
                "./setup.sh installs it (Debian: apt-get install chromium)"
            )
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (read, self._out), (self._in, write) = os.pipe(), os.pipe()
        # Chromium reads commands from descriptor 3 and writes to 4; the shell puts them there.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read, write)]
        redirect = f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}'
        profile = f"--user-data-dir={self._profile.name}"
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, "bash", program, *_OPTIONS, profile, "about:blank"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": self._profile.name},
        )
        for end in (read, write, *ends):
            os.close(end)
        self._rest = b""
        self._count = 0
        self._loaded = False
        targets = self._call("Target.getTargets", session=None)["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self._call("Target.attachToTarget", session=None, targetId=page, flatten=True)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._profile.cleanup()

    # --- what a reader does -------------------------------------------------------------------

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file, and wait until it is loaded."""
        # From another page, so that a new fragment alone is a load too.
        for address in ("about:blank", path.resolve().as_uri() + fragment):
            self._loaded = False
            self._call("Page.navigate", url=address)
            while not self._loaded:
                self._listen(self._receive())
            if address == "about:blank":
                self.complaints.clear()
                self.requests.clear()

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript and return its value."""
        # In a world of its own, where the page's policy doesn't forbid it.
        done = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"]["exception"]["description"])
        return done["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """Return the text, as it is seen, of all that a selector finds."""
        quoted = json.dumps(selector)
        found = self.ask(
            f"[...document.querySelectorAll({quoted})].filter(e => e.checkVisibility())"
            ".map(e => e.innerText.trim())"
        )
        return [str(text) for text in found]

    def flaws(self) -> list[str]:
        """Return what a reader by keyboard or ear would stumble over."""
        found = self.ask(_FLAWS)
        return [str(flaw) for flaw in found]

    def click(self, selector: str) -> None:
        """Click the first that a selector finds."""
        self.ask(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key: str, times: int = 1) -> None:
        """Press a key."""
        texts = {"Enter": "\r", "Space": " "}
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                self._call(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=" " if key == "Space" else key,
                    code=key,
                    windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "Space": 32}[key],
                    **({"text": texts[key]} if kind == "keyDown" and key in texts else {}),
                )

    def fill(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.ask(
            f"(f => {{ f.value = {json.dumps(text)};"
            " f.dispatchEvent(new Event('input', {bubbles: true})); })"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    # --- how it looks -------------------------------------------------------------------------

    def look(self, width: int = 1200, scheme: str = "light", medium: str = "") -> None:
        """Set the window's width, the colour scheme, and the medium (`print`)."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._call(
            "Emulation.setEmulatedMedia",
            media=medium,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def picture(self, path: Path, height: int | None = None) -> None:
        """Write a picture of the whole page, or of so many pixels from its top."""
        width = self.ask("innerWidth")
        part = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        clip: dict[str, Any] = {"clip": part} if height is not None else {}
        shot = self._call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, **clip
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def paper(self, path: Path) -> None:
        """Print to a PDF."""
        done = self._call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(done["data"]))

    # --- the protocol -------------------------------------------------------------------------

    def _call(self, method: str, *, session: str | None = "", **parameters: object) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._receive()
            if heard.get("id") != self._count:
                self._listen(heard)
            elif "error" in heard:
                raise AssertionError(f"{method}: {heard['error']['message']}")
            else:
                return heard["result"]

    def _receive(self) -> Any:
        while b"\0" not in self._rest:
            read = os.read(self._in, 1 << 16)
            if not read:
                raise AssertionError(f"Chromium ended with {self._process.wait()}")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _listen(self, heard: Any) -> None:
        said = heard.get("params", {})
        match heard.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.consoleAPICalled" if said["type"] in {"error", "warning", "assert"}:
                self.complaints.append(str(said["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["exceptionDetails"]))
            case "Log.entryAdded" if said["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(said["entry"]["text"])
            case "Network.requestWillBeSent" if said["type"] != "Document":
                self.requests.append(said["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {said['message']}")
