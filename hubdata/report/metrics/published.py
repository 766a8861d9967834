"""Say what a target's manifest tells: the generation, and how old its GeoIP databases are, before any run has."""

from hubdata.model.manifest import Manifest
from hubdata.report.metrics.catalogue import GENERATION, GEOIP_BUILD
from hubdata.report.metrics.series import Series, Told, Value


def published(target: str, manifest: Manifest) -> Told:
    """Return what is told of `target`; nothing where nothing was ever published."""
    if not manifest.generation:
        return {}
    told: dict[Series, Value] = {Series(GENERATION, (target,)): float(manifest.generation)}
    for key, entry in manifest.files.items():
        if entry.stats.build_epoch is not None:
            told[Series(GEOIP_BUILD, (entry.job, target, key))] = float(entry.stats.build_epoch)
    return told
