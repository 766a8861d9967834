"""Read each database named on standard input with the C extension, all of it; a line for each.

Run as a process of its own: on a corrupt database the extension may end it by a signal, which nothing can catch.
"""

import sys
from ipaddress import ip_address

from maxminddb import MODE_MMAP_EXT, open_database
from maxminddb.errors import InvalidDatabaseError


def _read(path: str) -> str:
    try:
        with open_database(path, MODE_MMAP_EXT) as reader:
            version = reader.metadata().ip_version
            addresses = [
                "1.1.1.1",
                "9.9.9.9",
                "81.2.69.160",
                "255.255.255.255",
                *(["2001:db8::1"] if version == 6 else []),
            ]
            for address in addresses:
                reader.get(ip_address(address))
            networks = sum(1 for _ in reader)
    except InvalidDatabaseError as err:
        return f"refused: {err}"
    return f"read {networks} networks"


for line in sys.stdin:
    print(_read(line.strip()), flush=True)
