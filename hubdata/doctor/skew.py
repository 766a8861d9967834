"""Tell how far this machine's clock is from a service's, by the Date header of an answer.

AWS refuses what is signed fifteen minutes off; waivers and schedules go wrong sooner. The header has whole seconds,
and the answer was a while on its way, so a few seconds mean nothing.
"""

from datetime import datetime, timedelta

from hubdata.doctor.catalogue import About
from hubdata.model.checkup import Check

TOLERATED = timedelta(seconds=30)
WRONG = timedelta(minutes=5)
_ADVICE = "set the clock of this machine (NTP: timedatectl set-ntp true)"


def clock(subject: str, here: datetime, there: datetime) -> Check:
    """Return what the two times, aware UTC and taken at the same moment, say of the clock here."""
    about = About("clock", subject)
    off = here - there
    found = f"{abs(off).total_seconds():.0f} s {'ahead' if off > timedelta() else 'behind'}"
    if abs(off) >= WRONG:
        return about.fail(f"{found}: requests will be refused", _ADVICE)
    if abs(off) >= TOLERATED:
        return about.warn(found, _ADVICE)
    return about.ok(f"within {max(1, round(abs(off).total_seconds()))} s")
