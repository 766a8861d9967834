"""A real browser (Chromium, without a window and without a network) that opens a page and says what it finds there.

What a test wants to know, it asks by a script at the page's end. The page's own policy stays in force: the digest of
the test's script is added to it and nothing else, so that what the policy would forbid does not happen here either.
"""

import base64
import hashlib
import html as html_words
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.npm import AXE, unpacked

_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=30000"),
)
_SECONDS = 90
DARK, LIGHT = "--blink-settings=preferredColorScheme=0", "--blink-settings=preferredColorScheme=1"


def asked(directory: Path, page: str, script: str, *flags: str) -> Any:
    """Return what `script` gives (an expression, or a promise) when it ends in a browser that has opened `page`."""
    wrapped = (
        f"Promise.resolve().then(()=>({script})).then(v=>v,e=>({{broken:String(e)}}))"
        ".then(v=>document.documentElement.setAttribute('data-answer',JSON.stringify(v)))"
    )
    dom, log = _opened(directory, _with(page, wrapped), *flags)
    found = re.search(r'data-answer="([^"]*)"', dom)
    assert found, f"the browser gave no answer:\n{log[-2_000:]}"
    answer = json.loads(html_words.unescape(found[1]))
    assert not (isinstance(answer, dict) and "broken" in answer), answer
    return answer


def _opened(directory: Path, page: str, *flags: str) -> tuple[str, str]:
    """Return what a page has become once a browser has opened it, and the browser's log.

    Fails when the page's policy forbade anything: then it asked for what it may not have.
    """
    chromium = installed()
    file = directory / "page.html"
    file.write_text(page, encoding="ascii")
    command = [chromium, *_QUIET, *flags, f"--user-data-dir={directory / 'profile'}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Content Security Policy" not in done.stderr, done.stderr
    return done.stdout, done.stderr


def installed() -> str:
    """Return where the browser is; the test skips loudly where it is not."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("STATUS PAGE NOT SEEN BY A BROWSER: chromium is not installed")
    return chromium


@cache
def axe() -> str:
    """Return axe-core, which knows what hinders people who hear or enlarge pages, or use no mouse. Skips loudly."""
    return (unpacked(AXE, "STATUS PAGE NOT CHECKED BY AXE") / "axe.min.js").read_text(encoding="utf-8")


def _with(page: str, script: str) -> str:
    """Return the page with one more script at its end, which its policy allows by digest."""
    ascii_script = script.encode("ascii", "backslashreplace").decode("ascii")
    digest = base64.b64encode(hashlib.sha256(ascii_script.encode()).digest()).decode()
    assert page.count("script-src 'sha256-") == 1
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
    body, _, end = page.rpartition("</body>")
    return f"{body}<script>{ascii_script}</script></body>{end}"
