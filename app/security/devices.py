"""What a person would call the device that a request came from."""

import re
import unicodedata

from app.models.sessions import DEVICE_MAX

UNKNOWN = "Unknown device"

# In this order: most browsers name the ones that they descend from as well.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("ChromeOS", "CrOS"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh|Mac OS X"),
    ("Linux", "Linux|X11"),
)

# It stands in mails, whose programs make links: somebody may sign up with the address
# of somebody else, and sign in with a name that is a message to them.
_LINK = re.compile(r"://|@|\.[^\W\d]{2}")


def describe(user_agent: str) -> str:
    """Name browser and system, as ``Firefox on Linux``; else the client's own name.

    Browsers have frozen most of that header, so that a list of some names says what
    there is to say; libraries with thousands of patterns took 10 MB and 9 ms for it.
    """
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    name = system or user_agent.strip().partition(" ")[0]
    printable = "".join(c for c in name if unicodedata.category(c)[0] in "LNPS")
    return UNKNOWN if _LINK.search(printable) else printable[:DEVICE_MAX] or UNKNOWN


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in table if re.search(pattern, text)), None)
