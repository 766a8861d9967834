"""A verification for a program: a validation's JSON object, with what each database says of itself."""

import json
from collections.abc import Mapping
from typing import Any

from hubdata.mmdb.described import Described
from hubdata.mmdb.policy import ipv4_share, ipv6_share
from hubdata.model.snapshot import Stats
from hubdata.model.validation import ValidationResult
from hubdata.report.json import dumps, validation_json


def verification_json(result: ValidationResult, databases: Mapping[str, Described]) -> str:
    """Return a verification as one JSON object; `database` of a file is null where it says nothing of itself."""
    whole: dict[str, Any] = json.loads(validation_json(result))
    stats = {file.key: file.stats for file in result.files}
    for file in whole["files"]:
        found = databases.get(file["key"])
        file["database"] = None if found is None else _database(found, stats[file["key"]])
    return dumps(whole)


def _database(found: Described, stats: Stats) -> dict[str, Any]:
    said = found.metadata
    return {
        "size": found.size,
        "database_type": said.database_type,
        "build_epoch": said.build_epoch,
        "ip_version": said.ip_version,
        "record_size": said.record_size,
        "node_count": said.node_count,
        "languages": list(said.languages),
        "description": dict(said.description),
        "binary_format": ".".join(map(str, said.binary_format)),
        "networks": stats.entries,
        "ipv4_share": None if stats.ipv4_addresses is None else round(ipv4_share(stats.ipv4_addresses), 6),
        "ipv6_share": None if stats.ipv6_64s is None else round(ipv6_share(stats.ipv6_64s), 6),
    }
