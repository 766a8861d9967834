"""The stack of deploy/docker/compose.yml without containers: moto, the bucket's own script, and Debian's nginx.

The files are those that the containers mount. In nginx's configuration only addresses and directories are changed, and
hubdata is told the addresses in variables, so that its settings stay as they are.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.support.moto_server import MotoServer
from tests.support.ports import own_port

DOCKER = Path(__file__).parents[2] / "deploy" / "docker"
SETTINGS = DOCKER / "hubdata.toml"
BUCKET = "hub-data"


@dataclass(frozen=True, slots=True)
class Stack:
    """A store with a bucket, and what readers get of it at `url`."""

    home: Path
    store: MotoServer
    url: str

    @property
    def places(self) -> Mapping[str, str]:
        """Return where the containers' names lead, as variables of hubdata."""
        return {
            "HUBDATA_CONFIG": str(SETTINGS),
            "HUBDATA_SPOOL": str(self.home / "spool"),
            "HUBDATA_TARGETS__LOCAL__ENDPOINT_URL": self.store.url,
            "HUBDATA_VERIFY__URL": self.url,
        }


def configuration(home: Path, store_url: str, port: int) -> str:
    """Return the stand-in's nginx.conf for this machine."""
    text = (DOCKER / "nginx.conf").read_text()
    for there, here in {
        "0.0.0.0:8080": f"127.0.0.1:{port}",
        "[::]:8080": f"[::1]:{port}",
        "http://store:5000": store_url,
        "store:5000": store_url.removeprefix("http://"),
        "/tmp/": f"{home}/",
        "/dev/stderr": f"{home}/error.log",
        "/dev/stdout": f"{home}/access.log",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    return ("user root;\n" if os.geteuid() == 0 else "") + text


def make_bucket(store: MotoServer, name: str = BUCKET) -> None:
    """Run the script of the container that makes the bucket."""
    subprocess.run(
        [sys.executable, str(DOCKER / "bucket.py")], env={**store.env, "BUCKET": name}, check=True, timeout=60
    )


@contextmanager
def stack(home: Path) -> Iterator[Stack]:
    """Give the whole stack but for the worker."""
    home.mkdir(parents=True, exist_ok=True)
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert nginx is not None
    port = own_port()
    with MotoServer() as store:
        make_bucket(store)
        (home / "nginx.conf").write_text(configuration(home, store.url, port))
        argv = [nginx, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")]
        front = subprocess.Popen([*argv, "-g", "daemon off;"])
        try:
            _await(f"http://[::1]:{port}/", front, home)
            yield Stack(home, store, f"http://localhost:{port}")
        finally:
            front.terminate()
            front.wait(timeout=60)


def _await(url: str, front: "subprocess.Popen[bytes]", home: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and front.poll() is None:
        with suppress(ConnectionError):
            try:
                urlopen(url, timeout=10).close()
            except OSError as err:
                if not hasattr(err, "code"):
                    raise ConnectionError from err
            return
        time.sleep(0.02)
    raise AssertionError((home / "error.log").read_text())
