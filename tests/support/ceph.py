"""A real S3 store: Ceph's gateway with its own monitor and a storage daemon that keeps all in memory.

Debian's packages of it are unpacked and never installed (`debian.py`); what Ceph itself needs and the machine lacks
comes along. One cluster serves one test process, over HTTP and over TLS, until the process ends.
"""

import atexit
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import debian
from tests.support.moto_server import CREDENTIALS
from tests.support.ports import own_port

PACKAGES = ("radosgw", "ceph-mon", "ceph-osd", "ceph-common")
_START_S = 90


class NoCeph(Exception):
    """Ceph cannot be had on this machine."""


@dataclass(frozen=True)
class Ceph:
    """A running gateway. `authority` is the file that its TLS certificate is checked against."""

    http: str
    https: str
    authority: Path
    version: str

    def bucket(self, name: str = "") -> str:
        """Return the name of a new, empty bucket; of one that is there if it is named so already."""
        name = name or f"hub-data-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> Any:
        """Return a plain client of the gateway, to look at it from outside hubdata."""
        return _client(self.http)

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return every object of a bucket with its bytes."""
        s3 = self.client()
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def needed() -> Ceph:
    """Return the cluster; skips the test, loudly, where there is none."""
    try:
        return shared()
    except NoCeph as err:
        pytest.skip(f"NOT TESTED AGAINST A REAL S3 STORE: {err}")


@functools.cache
def _client(url: str) -> Any:
    import botocore.session

    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


@functools.cache
def shared() -> Ceph:
    """Return the one cluster of this process, started at the first call and stopped at exit. Raises NoCeph."""
    root = _unpacked()
    place = Path(tempfile.mkdtemp(prefix="hubdata-ceph-"))
    atexit.register(_stop, place)
    try:
        return _Cluster(root, place).start()
    except (OSError, subprocess.SubprocessError, TimeoutError) as err:
        said = getattr(err, "stderr", b"") or b""
        logs = "".join(log.read_text(errors="replace")[-400:] for log in place.glob("*.log"))
        raise NoCeph(f"it did not start: {err} {said[-400:]!r} {logs}") from err


def _unpacked() -> Path:
    """Return the directory that the packages are unpacked in. Raises NoCeph."""
    if shutil.which("openssl") is None:
        raise NoCeph("there is no `openssl`")
    try:
        return debian.unpacked("ceph", *PACKAGES, besides=debian.everything)
    except debian.NotHad as err:
        raise NoCeph(str(err)) from err


_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms bind ipv6 = false
run dir = {place}
admin socket = {place}/$name.asok
pid file = {place}/$name.pid
log file = {place}/$name.log
mon data = {place}/mon
mon data avail crit = 0
mon allow pool size one = true
mon max pg per osd = 1000
osd data = {place}/osd
osd objectstore = memstore
osd class dir = {library}/rados-classes
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
memstore device bytes = 2147483648
plugin dir = {library}/ceph
erasure code dir = {library}/ceph/erasure-code
rgw data = {place}/rgw
rgw enable usage log = false
rgw frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} \
ssl_certificate={place}/certificate.pem ssl_private_key={place}/key.pem
"""


class _Cluster:
    """The daemons of one cluster, all below `place`."""

    def __init__(self, root: Path, place: Path) -> None:
        self._root, self._place = root, place
        self._library = debian.library_of(root)
        paths = (self._library, root / "lib" / self._library.name, self._library / "ceph")
        self._environment = {
            "PATH": os.environ["PATH"],
            "LD_LIBRARY_PATH": ":".join(map(str, paths)),
            "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
        }

    def start(self) -> Ceph:
        """Return when the gateway answers."""
        fsid, (mon, http, https) = str(uuid.uuid4()), (own_port() for _ in range(3))
        for name in ("mon", "osd", "rgw"):
            (self._place / name).mkdir()
        (self._place / "ceph.conf").write_text(
            _CONFIGURATION.format(fsid=fsid, place=self._place, library=self._library, mon=mon, http=http, https=https)
        )
        self._certify()
        monmap = str(self._place / "monmap")
        self._do("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon}]", monmap)
        self._do("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
        self._do("ceph-mon", "-i", "a")
        storage = str(uuid.uuid4())
        self._do("ceph", "osd", "new", storage)
        self._do("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", storage)
        self._do("ceph-osd", "-i", "0")
        user = ("--uid=test", "--display-name=test")
        keys = (
            f"--access-key={CREDENTIALS['AWS_ACCESS_KEY_ID']}",
            f"--secret={CREDENTIALS['AWS_SECRET_ACCESS_KEY']}",
        )
        self._do("radosgw-admin", "user", "create", *user, *keys)
        self._do("radosgw", "-n", "client.rgw")
        _until(lambda: _answers(f"http://127.0.0.1:{http}"))
        version = self._do("radosgw", "--version").split(" (")[0]
        return Ceph(f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}", self._place / "certificate.pem", version)

    def _certify(self) -> None:
        into = ("-keyout", str(self._place / "key.pem"), "-out", str(self._place / "certificate.pem"))
        how = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        name = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        try:
            debian.run("openssl", "req", *how, *name, *into)
        except debian.NotHad as err:
            raise NoCeph(str(err)) from err

    def _do(self, program: str, *arguments: str) -> str:
        """Return what one of Ceph's programs printed; daemons go into the background by themselves."""
        binary = str(self._root / "usr/bin" / program)
        # The client is a script for the system's Python, whose modules were unpacked beside it.
        command = ["/usr/bin/python3", binary] if program == "ceph" else [binary]
        with tempfile.TemporaryFile() as out:  # daemons keep their streams open
            done = subprocess.run(
                [*command, "-c", str(self._place / "ceph.conf"), *arguments]
                if program != "monmaptool"
                else [*command, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=_START_S,
                check=False,
            )
            out.seek(0)
            said = out.read()
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, program, stderr=said)
        return said.decode(errors="replace")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + _START_S
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(f"no answer within {_START_S} s")
        time.sleep(0.2)


def _stop(place: Path) -> None:
    """End every daemon of the cluster and remove what it kept."""
    for pid_file in place.glob("*.pid"):
        with suppress(OSError, ValueError):
            pid = int(pid_file.read_text())
            if str(place).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(place, ignore_errors=True)
