"""A small client of Chromium's DevTools protocol: one headless page."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """The browser's program, if it is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """A page of a headless browser of its own; use it as a context."""

    def __init__(self, profile: Path, *flags: str):
        program = find()
        assert program is not None
        self._process = subprocess.Popen(
            [
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--autoplay-policy=no-user-gesture-required",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                f"--user-data-dir={profile}",
                *flags,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._count = 0
        try:
            port = self._port(profile / "DevToolsActivePort")
            self._socket = self._connect(port)
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, **parameters):
        """A command's result; events that come before it are noted."""
        self._count += 1
        number = self._count
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message)

    def evaluate(self, expression: str):
        """The value of an expression, waited for where it is a promise."""
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.evaluate("window.isLeft = true")
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete' && !window.isLeft")

    def wait_for(self, condition: str, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.1)

    def press(self, key: str, code: str, shift: bool = False, repeat: bool = False) -> None:
        """Press and let go a key; with ``repeat``, as if it had been held."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        for kind in ("keyDown", "keyUp"):
            code_number = {"Enter": 13, "Tab": 9, "ArrowDown": 40}.get(key, ord(key[0].upper()))
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                modifiers=8 * shift,
                autoRepeat=repeat,
                windowsVirtualKeyCode=code_number,
                text=text if kind == "keyDown" else "",
            )

    def screenshot(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def _note(self, message: dict) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"].get("text", ""))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])

    def _port(self, path: Path) -> int:
        end = time.monotonic() + 60
        while not (path.exists() and path.read_text().strip()):
            assert self._process.poll() is None, "the browser ended"
            assert time.monotonic() < end, "the browser did not start"
            time.sleep(0.1)
        return int(path.read_text().split()[0])

    def _connect(self, port: int) -> websocket.WebSocket:
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [page for page in json.load(answer) if page["type"] == "page"]
        return websocket.create_connection(pages[0]["webSocketDebuggerUrl"], timeout=120)
