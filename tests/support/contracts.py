"""A contract's tests, asked of an adapter that is not in hubdata's own tables: for packages that bring one.

A module that adopts a suite gives its fixture (`target`, `kit` or `cdn`) anew; pytest then runs the same tests with it.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import Any


def adopt(suite: ModuleType, into: dict[str, Any], *, without: Iterable[str] = ()) -> None:
    """Put the tests of `suite` into a module's `globals()`, all but those `without` which name hubdata's own stores.

    Raises KeyError for a test that is not in the suite: it was renamed, and would be adopted unseen.
    """
    tests = {name: test for name, test in vars(suite).items() if name.startswith("test_")}
    for name in without:
        del tests[name]
    into.update(tests)
