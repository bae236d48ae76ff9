"""``python -m tests.authorize_button``: sign in on ``/docs`` as a person does.

Starts a server and a headless Chromium, presses the buttons of Swagger UI and prints
one line of JSON. It needs a browser on this machine, so it is no part of the suite.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from app.db.embedded import EmbeddedPostgres
from tests.databases import Databases
from tests.factories.users import PASSWORD
from tests.fuzz import serving, sign_up

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 30

# React notices what is typed only if it is told in its own way.
SCRIPT = """
(async () => {
  const until = async (find) => {
    for (let n = 0; n < 200; n++) {
      const found = find();
      if (found) return found;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`never there: ${find}`);
  };
  const one = (selector) => until(() => document.querySelector(selector));
  const type = async (selector, text) => {
    const input = await one(selector);
    const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
    own.set.call(input, text);
    input.dispatchEvent(new Event('input', {bubbles: true}));
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };
  (await one('.auth-wrapper .authorize')).click();
  await type('#oauth_username', EMAIL);
  await type('#oauth_password', PASSWORD);
  (await one('.auth-btn-wrapper .authorize')).click();
  await until(() => document.querySelector('.auth-container')?.innerText
    .includes('Authorized'));
  (await one('.auth-btn-wrapper .btn-done')).click();
  (await one('#operations-users-get_own_user .opblock-summary-control')).click();
  (await one('#operations-users-get_own_user .try-out__btn')).click();
  (await one('#operations-users-get_own_user .execute')).click();
  const answer = await one('#operations-users-get_own_user .live-responses-table');
  return (await until(() => answer.innerText.includes('email') && answer)).innerText;
})()
"""


class Browser:
    """A page of a headless browser, driven by the DevTools protocol over pipes."""

    def __init__(self, commands: IO[bytes], events: IO[bytes]) -> None:
        self._commands = commands
        self._events = events
        self._number = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        session = getattr(self, "_session", {})
        command = {"id": self._number, "method": method, "params": params, **session}
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (answer := self._read()).get("id") != self._number:
            pass
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        raw = bytearray()
        while (octet := self._events.read(1)) != b"\0":
            if not octet:
                raise RuntimeError("the browser has ended")
            raw += octet
        message: dict[str, Any] = json.loads(raw)
        return message

    def run(self, script: str) -> str:
        """Run a script to the end of its promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return str(answer["result"].get("value"))


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit(f"One of these is needed: {', '.join(BROWSERS)}.")
    (to_read, commands), (events, to_write) = os.pipe(), os.pipe()
    command = [path, "--headless=new", "--no-sandbox", "--remote-debugging-pipe"]
    # The browser reads from 3 and writes to 4.
    shell = f'exec "$@" 3<&{to_read} 4>&{to_write}'
    process = subprocess.Popen(
        ["bash", "-c", shell, "-", *command, f"--user-data-dir={profile}"],
        pass_fds=(to_read, to_write),
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(to_write)
    try:
        with os.fdopen(commands, "wb") as sink, os.fdopen(events, "rb") as source:
            yield Browser(sink, source)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def authorize(url: str, email: str, profile: Path) -> dict[str, Any]:
    """Sign in on the page and read one's account there."""
    given = f"const EMAIL = {json.dumps(email)}, PASSWORD = {json.dumps(PASSWORD)};"
    with browser(profile) as page:
        page.call("Page.enable")
        page.call("Page.navigate", url=f"{url}/docs")
        page.run("new Promise((done) => setTimeout(done, 1000))")
        shown = page.run(given + SCRIPT)
    return {"check": "the Authorize button of /docs", "passed": email in shown}


async def _run(folder: Path) -> dict[str, Any]:
    with EmbeddedPostgres(folder / "postgres") as postgres:
        async with Databases(postgres, folder).fresh() as database:
            with serving(database, folder) as server:
                email = sign_up(server.url())
                return await asyncio.to_thread(
                    authorize, server.url(), email, folder / "profile"
                )


def main() -> None:
    """Run the command."""
    with tempfile.TemporaryDirectory(prefix="zenith-docs-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        verdict = asyncio.run(_run(folder))
    sys.stdout.write(json.dumps(verdict) + "\n")
    sys.exit(not verdict["passed"])


if __name__ == "__main__":
    main()
