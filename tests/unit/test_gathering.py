"""Whether helpers begin at once: where much is likely to be judged, and never at the cost of a clear message."""

from pathlib import Path

import pytest

from hubdata.config.settings import Settings, load_settings
from hubdata.gathering import expects_much
from hubdata.transfer.verdict_file import NAME


def settings_with(spool: Path, checkout: Path) -> Settings:
    """Return the settings of a run on a checkout, nobody's environment among them."""
    (checkout / "jobs").mkdir(exist_ok=True)
    flags = {"spool": str(spool), "checkout": (str(checkout),), "jobs": str(checkout / "jobs")}
    return load_settings(config=None, environment={"HOME": str(checkout)}, flags=flags, cwd=checkout)


def test_much_is_expected_of_a_checkout_of_which_nothing_is_remembered(tmp_path: Path) -> None:
    """Once verdicts are remembered, only `force` has them all judged anew."""
    settings = settings_with(tmp_path / "spool", tmp_path)
    assert expects_much(settings, force=False)
    (tmp_path / "spool" / "memory-verdicts").mkdir(parents=True)
    (tmp_path / "spool" / "memory-verdicts" / NAME).touch()
    assert not expects_much(settings, force=False)
    assert expects_much(settings, force=True)


@pytest.mark.parametrize("spool", ["x" * 300, "/proc/1/fdinfo/x/y", "/dev/null/x"])
def test_spool_that_cannot_be_looked_into_is_left_to_who_makes_it(tmp_path: Path, spool: str) -> None:
    """It says what is wrong with it; to begin with, nothing is raised that nobody would translate."""
    expects_much(settings_with(tmp_path / spool, tmp_path), force=False)
