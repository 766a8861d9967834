"""Verify the public copy: put the target that says what was published, and the families to look over, together.

`hubdata verify` does it on demand; a run does it after it has published, where the settings have `[verify]`.
"""

import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from hubdata.clock import SystemClock
from hubdata.config.settings import Settings
from hubdata.config.settings_file import MANY
from hubdata.errors import ConfigError, HubdataError
from hubdata.model import manifest as manifests
from hubdata.model.manifest import Manifest
from hubdata.model.run import RunResult
from hubdata.model.verification import Family, Pin, Verification, VerifySpec
from hubdata.ports import Reporter, Target
from hubdata.signing.minisign import PublicKey
from hubdata.transfer.one_family import FamilyClient
from hubdata.transfer.url import safe_url
from hubdata.verifying.choosing import Wish
from hubdata.verifying.manifests import MAX_BYTES, Expected
from hubdata.verifying.signatures import Trust
from hubdata.verifying.watching import Told, watch


@dataclass(frozen=True, slots=True)
class Question:
    """What a command line wants to know: empty and None stand for what the settings say.

    `generation` must be public at least; then no target is asked. `keys` and `everything` choose files. `pubkeys` are
    whose signatures are good, and `min_generation` is what the manifest may not be older than.
    """

    url: str = ""
    families: tuple[Family, ...] = ()
    pins: tuple[Pin, ...] = ()
    keys: tuple[str, ...] = ()
    everything: bool = False
    sample: int | None = None
    seed: str = ""
    generation: int = 0
    wait: timedelta = timedelta(0)
    public_only: bool = False
    pubkeys: tuple[PublicKey, ...] = ()
    min_generation: int = 0


def verify(
    settings: Settings,
    question: Question,
    targets: tuple[str, ...],
    build: Callable[[str], Target],
    reporter: Reporter,
) -> Verification:
    """Return what readers get of the public copy. `targets` are those that were named; `build` makes one.

    Raises ConfigError without a URL, or for a file that is not published; TargetError when the target that was named
    cannot be read. One that nobody named and that cannot be read is done without, and that is told.
    """
    spec = spec_of(settings, question)
    told, notices = _teller(settings, question, spec, targets, build)
    wish = Wish(question.keys, question.everything, spec.sample, question.seed or secrets.token_hex(4))
    trust = _trust(settings, question, spec)
    result = _watched(spec, wish, told, reporter, wait=question.wait, at_least=question.generation, trust=trust)
    return replace(result, notices=notices)


def verified(result: RunResult, settings: Settings, targets: Iterable[Target], reporter: Reporter) -> RunResult:
    """Return `result` with what readers get, where it published anything to the target that they read from."""
    spec = settings.verify
    if spec is None:
        return result
    name = spec.target or next(iter(settings.targets))
    here = [each for job in result.jobs for each in job.targets if each.target == name and each.applied]
    if all(each.plan.empty for each in here):
        return result
    if any(each.invalidation is not None and each.invalidation.pending for each in here):
        notice = "the public copy was not looked at: its CDN could not be told of the changes yet"
        return replace(result, notices=(*result.notices, notice))
    target = next(each for each in targets if each.name == name)
    trust = _trust(settings, Question(), spec)
    return replace(result, verification=after_publication(spec, target, result.run_id, reporter, trust))


def after_publication(
    spec: VerifySpec, target: Target, run_id: str, reporter: Reporter, trust: Trust | None = None
) -> Verification:
    """Return what readers get after `target` was published to, having waited for the CDN as long as `spec` allows."""
    wish = Wish(sample=spec.sample, seed=run_id)
    try:
        return _watched(spec, wish, lambda: _of_target(target), reporter, wait=spec.wait, trust=trust)
    except HubdataError as err:  # published it is: that the target cannot be read just now must not hide that
        notice = f"the public copy was not looked at: {err}"
        return Verification(spec.url, f"target {target.name}", 0, (), notices=(notice,), unknown=True)


def spec_of(settings: Settings, question: Question) -> VerifySpec:
    """Return how to read the public copy: as the settings say, and the command line. Raises ConfigError."""
    url = question.url.rstrip("/") or (settings.verify.url if settings.verify else "")
    if not url:
        raise ConfigError(
            "it is not known under which URL the data is public",
            advice="write [verify] with url into hubdata.toml, or give --url",
        )
    if any(mark in url for mark in "?#"):
        raise ConfigError(
            f"{safe_url(url)}: it has a query or fragment", advice="name the URL below which the keys lie"
        )
    spec = replace(settings.verify, url=url) if settings.verify else VerifySpec(url)
    return replace(
        spec,
        families=question.families or spec.families,
        pins=(*question.pins, *(pin for pin in spec.pins if not _overridden(pin, question.pins))),
        sample=MANY if question.everything else spec.sample if question.sample is None else question.sample,
    )


def pins_of(texts: Iterable[str]) -> tuple[Pin, ...]:
    """Return the pins that `--resolve` names. Raises ConfigError for a text that is none."""
    try:
        return tuple(map(Pin.parse, texts))
    except ValueError as err:
        raise ConfigError(f"--resolve: {err}", advice="as in --resolve hub-data.example.net:443:[2001:db8::1]") from err


def _overridden(pin: Pin, by: tuple[Pin, ...]) -> bool:
    return any((pin.host, pin.port) == (other.host, other.port) for other in by)


def _teller(
    settings: Settings, question: Question, spec: VerifySpec, targets: tuple[str, ...], build: Callable[[str], Target]
) -> tuple[Told, tuple[str, ...]]:
    """Return who says what was published, and what is to be told about that."""
    if question.generation or question.public_only or (settings.embedded and not targets):
        return _nobody, ()
    if targets:
        target = build(targets[0])
        return (lambda: _of_target(target)), ()
    elsewhere = bool(question.url) and (settings.verify is None or question.url.rstrip("/") != settings.verify.url)
    if elsewhere and spec.target is None:
        return _nobody, ("compared with the public manifest alone: --target names the store behind another URL",)
    name = spec.target or next(iter(settings.targets))
    try:
        target = build(name)
        _of_target(target)
    except HubdataError as err:
        return _nobody, (f"compared with the public manifest alone: {err}",)
    return (lambda: _of_target(target)), ()


def _nobody() -> Expected | None:
    return None


def _of_target(target: Target) -> Expected:
    blob = target.read(manifests.KEY, max_bytes=MAX_BYTES)
    if blob is None:
        raise ConfigError(
            f"target {target.name} holds no {manifests.KEY}: nothing is published there",
            advice="publish first (hubdata sync --once), or name the target behind the URL",
        )
    return Expected(Manifest.from_bytes(blob.body), f"target {target.name}", blob.body)


def _trust(settings: Settings, question: Question, spec: VerifySpec) -> Trust | None:
    """Return whose signature the manifest must have: the named keys', else, for our own URL, those of `[sign]`."""
    keys = question.pubkeys
    ours = settings.verify is not None and spec.url == settings.verify.url
    if not keys and settings.sign is not None and ours:
        keys = (settings.sign.public_key, *settings.sign.earlier)
    return Trust(keys, question.min_generation) if keys else None


def _watched(
    spec: VerifySpec,
    wish: Wish,
    told: Told,
    reporter: Reporter,
    *,
    wait: timedelta,
    at_least: int = 0,
    trust: Trust | None = None,
) -> Verification:
    def connect(family: Family) -> FamilyClient:
        return FamilyClient(spec.url, family, pins=spec.pins, silence=spec.silence, environment=os.environ)

    return watch(
        spec,
        wish,
        told,
        connect=connect,
        clock=SystemClock(),
        reporter=reporter,
        wait=wait,
        at_least=at_least,
        trust=trust,
    )
