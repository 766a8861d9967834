"""The example of a package that brings adapters (`tests/data/plugin_example`), where Python finds it as if installed.

Most tests need what an installer leaves and no installer: the package's directory on the path, and beside it the
metadata that names its entry points.
"""

import tomllib
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "data" / "plugin_example"


def installed(site: Path, *, name: str = "", entry_points: str | None = None, version: str = "1.0") -> Path:
    """Return the directory `site`, having put the example's metadata (or other `entry_points`) there.

    With no entry points of its own it is the example itself; else a package that consists of metadata alone.
    """
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    title = name or project["name"]
    metadata = site / f"{title.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {title}\nVersion: {version}\n")
    if entry_points is None:
        groups = project["entry-points"].items()
        entry_points = "".join(
            f"[{group}]\n" + "".join(f"{word} = {path}\n" for word, path in points.items()) for group, points in groups
        )
        if not (site / "hubdata_example").exists():
            (site / "hubdata_example").symlink_to(EXAMPLE / "hubdata_example", target_is_directory=True)
    (metadata / "entry_points.txt").write_text(entry_points)
    return site
