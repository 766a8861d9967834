"""Write the image's bill of materials: `python .ci/bill.py > requirements/image.cdx.json` (CycloneDX 1.6).

It is made from the lock that the image is installed from, with every hash that pip would accept, and says nothing that
changes from one day to the next: the same lock gives the same bytes. The image has it at /usr/share/doc/hubdata.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562's name space of URLs


def bill(lock: str, version: str) -> str:
    """Return the bill of what `lock`, requirements with hashes, would install beside hubdata itself."""
    itself = _component("hubdata", version, kind=ComponentType.APPLICATION)
    parts = [
        _component(name, pinned, marker, re.findall(r"--hash=sha256:([0-9a-f]{64})", rest))
        for name, pinned, marker, rest in _pinned(lock)
    ]
    bom = Bom(components=parts, serial_number=uuid.uuid5(_SPACE, f"hubdata {version}\n{lock}"))
    bom.metadata.component = itself
    bom.register_dependency(itself, parts)
    told = json.loads(JsonV1Dot6(bom).output_as_string())
    told["metadata"].pop("timestamp", None)
    return json.dumps(told, indent=2, sort_keys=True) + "\n"


def _pinned(lock: str) -> Iterator[tuple[str, str, str, str]]:
    """Give name, version, marker and the rest of each requirement."""
    for one in re.split(r"\n(?=\S)", lock):
        found = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)(?: *; *([^\\\n]+))?(.*)", one, re.DOTALL)
        if found is None:
            raise ValueError(f"expected a pinned requirement, found {one!r}")
        yield found[1], found[2], (found[3] or "").strip(), found[4]


def _component(
    name: str, version: str, marker: str = "", digests: list[str] | None = None, kind: ComponentType | None = None
) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in digests or ()],
    )
    return Component(
        name=name,
        version=version,
        type=kind or ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        external_references=[files] if digests else (),
        properties=[Property(name="python:marker", value=marker)] if marker else (),
    )


if __name__ == "__main__":
    sys.stdout.write(bill((ROOT / "requirements" / "image.txt").read_text(), metadata.version("hubdata")))
