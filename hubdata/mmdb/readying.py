"""Have at hand what a database is judged with by the time that it has arrived.

numpy and the readers take a tenth of a second to be imported. Connections, unpacking and writing need the interpreter
for little of their time, so that both go on together.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

_WANTED = ("hubdata.mmdb.prover", "hubdata.mmdb.policy", "hubdata.mmdb.readers", "numpy.ma", "geoip2.database")


@contextmanager
def readied() -> Iterator[None]:
    """Import beside what is done in the block, which ends when both are done. What cannot be imported is left out."""
    if all(name in sys.modules for name in _WANTED):
        yield
        return
    aside = threading.Thread(target=_import, name="readying")
    with suppress(RuntimeError):  # no more threads are to be had: then it is imported by whoever needs it
        aside.start()
    try:
        yield
    finally:
        if aside.ident is not None:
            aside.join()


def _import() -> None:
    for name in _WANTED:
        with suppress(Exception):  # a library that cannot be used here may say so as it likes: whoever needs it is told
            import_module(name)
