"""The 66 MB database: another build of it to publish, and none; near and far.

A build differs by its time alone: four bytes in the metadata of a real GeoLite2-City, as large and as deep as ever.
hubdata's job is a GeoIP job as it comes, with the kind that proves the structure and asks canaries; nothing is waived.
"""

import os
import re
import shutil
import time

from bench.results import FAR, LOOPBACK, Measured, Part
from bench.world import World, world
from tests.support.big_mmdb import BUILD_EPOCH, real_city_database

CHANGED, SAME = "66 MB database changed", "66 MB database, no-op, fresh clone"
NAME = "mmdb_update/GeoLite2-City.mmdb"
JOB = """\
[source]
type = "directory"
path = "{path}"

[[files]]
match = "mmdb_update/GeoLite2-City.mmdb"
kind = "mmdb"
limits = {{ min_entries = 2_000_000, max_change = 0.2 }}

[[canaries]]
ip = "8.8.8.8"
expect = {{ "country.iso_code" = "US" }}
"""


def measure(runs: int, quick: bool) -> Part:
    """Return the figures of both scenarios on both networks."""
    original = real_city_database()
    found: list[Measured] = []
    with world() as here:
        file = here.directory / NAME
        file.parent.mkdir(parents=True)
        shutil.copyfile(original, file)
        here.jobs = here.work / "jobs"
        here.jobs.mkdir()
        (here.jobs / "geoip.toml").write_text(JOB.format(path=here.directory))
        builds = _Builds(here)
        for net in (FAR,) if quick else (LOOPBACK, FAR):
            for scenario, prepare in {CHANGED: builds.another, SAME: builds.again}.items():
                found += here.measured(scenario, net, runs, prepare)
        return Part("database", tuple(found), versions=here.versions, missing=(*here.missing, *here.failed))


class _Builds:
    """The file in the checkout, and the time it says it was built at."""

    def __init__(self, here: World) -> None:
        self._file = here.directory / NAME
        field = re.compile(rb"(?<=\x4bbuild_epoch\x04\x02)" + re.escape(BUILD_EPOCH.to_bytes(4)))
        tail = 1 << 17
        with self._file.open("rb") as file:
            file.seek(-tail, os.SEEK_END)
            places = [match.start() for match in field.finditer(file.read())]
        if len(places) != 1:
            raise RuntimeError("the database's build time was not found")
        self._at = self._file.stat().st_size - tail + places[0]
        self._epoch = BUILD_EPOCH

    def another(self, _: str) -> None:
        """Have the next build in the checkout, of now."""
        self._epoch += 1
        with self._file.open("r+b") as file:
            file.seek(self._at)
            file.write(self._epoch.to_bytes(4))
        os.utime(self._file, (time.time(), time.time()))

    def again(self, _: str) -> None:
        """Have the same build in a fresh clone."""
        os.utime(self._file, (time.time(), time.time()))
