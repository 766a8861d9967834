"""A GeoIP job for the small world: one edition, from the tests' own vendor."""

import time
from ipaddress import ip_network

from hubdata.demo.mmdb_writer import mmdb
from tests.support.maxmind_server import MaxmindServer

CITY = "GeoLite2-City"
KEY = f"mmdb_update/{CITY}.mmdb"
JOB = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City"]
url = "{url}"
{more}

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
options = {{ max_age_days = 3650 }}
"""


def database(age_s: int) -> bytes:
    """Return a small, sound City database that was built so long ago."""
    city = {"country": {"iso_code": "US"}}
    return mmdb(CITY, {ip_network("8.8.8.0/24"): city}, build_epoch=int(time.time()) - age_s)


def keys(vendor: MaxmindServer) -> dict[str, str]:
    """Return the environment that holds the vendor's credentials."""
    return {"MAXMIND_ACCOUNT_ID": vendor.account, "MAXMIND_LICENSE_KEY": vendor.key}
