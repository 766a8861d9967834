"""The status page as people see it: on a telephone and at a desk, by day and by night, with scripts and without."""

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubdata.report.page import page_html
from tests.support.npm import PLAYWRIGHT, unpacked
from tests.support.real import needs_real
from tests.unit.report.page import samples
from tests.unit.report.page.browser import installed

pytestmark = [pytest.mark.browser, needs_real]

WHITE, NIGHT = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
SIZES = {"telephone": (390, 844), "desk": (1280, 900)}
SCREENS = {
    f"{place}-{scheme}-{'scripts' if scripts else 'none'}": {
        "width": width,
        "height": height,
        "colorScheme": scheme,
        "scripts": scripts,
    }
    for place, (width, height) in SIZES.items()
    for scheme in ("light", "dark")
    for scripts in (True, False)
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of the pictures."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def seen(pictures: Path) -> dict[str, Any]:
    """Return what a browser found on each screen, driven as a person drives it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("STATUS PAGE NOT SEEN BY A BROWSER: node is not installed")
    playwright = unpacked(PLAYWRIGHT, "STATUS PAGE NOT SEEN BY A BROWSER")
    page = pictures / "page.html"
    page.write_text(page_html(samples.real()), encoding="ascii")
    screens = json.dumps([{"name": name, **screen} for name, screen in SCREENS.items()])
    script = Path(__file__).with_name("screens.js")
    command = [node, *map(str, (script, playwright, installed(), page, pictures)), screens]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", SCREENS)
def test_it_fits_the_screen_in_the_readers_colours(seen: dict[str, Any], pictures: Path, name: str) -> None:
    """Nothing to scroll sideways, nothing asked for, nothing that the browser complains of; a picture of all that."""
    screen, found = SCREENS[name], seen[name]
    assert found["wide"] <= screen["width"]
    assert found["background"] == (WHITE if screen["colorScheme"] == "light" else NIGHT)
    assert (found["said"], found["asked"]) == ([], ["page.html"])
    picture = (pictures / f"{name}.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (screen["width"], screen["height"])
    assert len(picture) > 10_000, "a page with nothing on it takes less"


@pytest.mark.parametrize("name", SCREENS)
def test_the_search_is_there_where_it_works(seen: dict[str, Any], name: str) -> None:
    """Typed into by keyboard it leaves the files that were meant; without scripts there is none, and all files are."""
    found = seen[name]
    assert found["rows"] == 172
    assert found["search"] is SCREENS[name]["scripts"]
    assert found.get("found") == (2 if found["search"] else None)
