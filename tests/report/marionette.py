"""Firefox by its own protocol, without a driver: Marionette, JSON over a socket."""

import json
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_PATIENCE = 120
"""Seconds until Firefox must listen, and until a command must be answered."""


class Firefox:
    """A Firefox without a window, in a fresh profile.

    Args:
        program: Path of the program.
        profile: Folder for the profile; empty.
        dark: Whether pages are asked for their dark colours.
    """

    def __init__(self, program: str, profile: Path, *, dark: bool) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        scheme = "0" if dark else "1"
        prefs = {"marionette.port": str(port), "layout.css.prefers-color-scheme.content-override": scheme}
        lines = [f'user_pref("{name}", {value});' for name, value in prefs.items()]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        given = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
        self._process = subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._socket = self._connected(port)
        self._sent = 0
        self._received()  # its greeting
        self.ask("WebDriver:NewSession", capabilities={})

    def ask(self, command: str, **parameters: Any) -> Any:
        """Send a command and return what it gives."""
        self._sent += 1
        message = json.dumps([0, self._sent, command, parameters])
        self._socket.sendall(f"{len(message.encode())}:{message}".encode())
        _, _, error, result = self._received()
        assert error is None, f"{command}: {error}"
        return result.get("value", result) if isinstance(result, dict) else result

    def open(self, address: str, width: int) -> None:
        """Open a page in a window of a width."""
        self.ask("WebDriver:SetWindowRect", width=width, height=900)
        self.ask("WebDriver:Navigate", url=address)

    def run(self, script: str, *given: Any) -> Any:
        """Run a script in the page; it ends by calling its last argument."""
        return self.ask("WebDriver:ExecuteAsyncScript", script=script, args=list(given), scriptTimeout=1000 * _PATIENCE)

    def close(self) -> None:
        """End the session and the program."""
        with suppress(OSError, AssertionError, ValueError):
            self.ask("Marionette:Quit", flags=["eForceQuit"])
        self._socket.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connected(self, port: int) -> socket.socket:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
            except OSError:
                time.sleep(0.2)
        self._process.kill()
        raise TimeoutError("Firefox does not listen")

    def _received(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._some(1)
        left, parts = int(size[:-1]), []
        while left:
            parts.append(self._some(left))
            left -= len(parts[-1])
        return json.loads(b"".join(parts))

    def _some(self, most: int) -> bytes:
        found = self._socket.recv(most)
        if not found:
            raise OSError("Firefox closed the connection")
        return found
