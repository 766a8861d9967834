"""A key to sign with in the simulator, and what a mirror that knows it finds at a target."""

from hubdata.model.finding import Finding
from hubdata.publishing.sealing import Sealer
from hubdata.signing import ed25519
from hubdata.signing.keys import Signer, SignSpec
from hubdata.signing.secret_key import SecretKey, key_file
from hubdata.signing.verify import judge
from tests.simulator.store import MemoryTarget

_SEED = b"s" * 32
_KEY = SecretKey(b"simulate", _SEED, ed25519.public_of(_SEED))
SEALER = Sealer(Signer(SignSpec(_KEY.public), {"HUBDATA_SIGNING_KEY": key_file(_KEY)}))


def unsealed(store: MemoryTarget) -> tuple[Finding, ...]:
    """Return why a mirror would not take what `store` holds; nothing where it would, or where nothing is published."""
    manifest = store.body("manifest.json")
    if manifest is None:
        return ()
    return judge(manifest, store.body("manifest.json.minisig"), [_KEY.public]).findings


def unsign(store: MemoryTarget) -> None:
    """Delete both signatures, as an operator does who takes the manifest for what it is."""
    for key in ("manifest.json.minisig", ".hubdata/manifest.json.minisig"):
        if store.body(key) is not None:
            store.lose(key)
