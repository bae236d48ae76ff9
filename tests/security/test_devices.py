"""Devices, named by what their programs say of themselves."""

import pytest

from app.security.devices import describe

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
ANDROID = "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux; rv:140.0) Firefox/140.0", "Firefox on Linux"),
        (f"{WINDOWS} {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {CHROME} Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"{WINDOWS} {CHROME} Safari/537.36 OPR/120.0", "Opera on Windows"),
        (f"Mozilla/5.0 (Macintosh) {APPLE} Safari/605.1", "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU like Mac OS X) {APPLE} Safari", "iPhone"),
        (f"Mozilla/5.0 (iPhone; CPU) {APPLE} Safari/604.1", "Safari on iPhone"),
        (f"Mozilla/5.0 (iPad) {APPLE} CriOS/140.0 Safari/604.1", "Chrome on iPad"),
        (f"{ANDROID} {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (
            f"{ANDROID} SamsungBrowser/28.0 {CHROME} Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"Mozilla/5.0 (X11; CrOS) {CHROME} Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-httpx2/2.16.2", "python-httpx2/2.16.2"),
        ("MyApp/2.0 (Linux; build 7)", "Linux"),
        ("", "Unknown device"),
        ("   ", "Unknown device"),
        ("\x1b[31mred\u2028\u202eevil", "[31mredevil"),
        ("x" * 5000, "x" * 100),
        ("https://evil.example/now", "Unknown device"),
        ("EVIL.EXAMPLE", "Unknown device"),
        ("http://192.0.2.1", "Unknown device"),
        ("me@evil", "Unknown device"),
    ],
)
def test_a_device_is_named_as_people_do(user_agent: str, device: str) -> None:
    assert describe(user_agent) == device
