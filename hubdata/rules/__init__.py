"""The catalogue: every rule that a finding can name, with what it means to an engine and how to mend it.

One file a kind, as the checkers are. `docs/rules.md` is this catalogue printed:
`python -m hubdata.rules > docs/rules.md`.
"""

from collections.abc import Mapping

from hubdata.model.rule import Rule
from hubdata.rules import (
    audit,
    bots,
    cidr,
    gate,
    group,
    hub,
    ip_exact,
    job,
    json,
    jsonl_uri,
    limits,
    map,  # noqa: A004 - the kind's name
    mirror,
    mmdb,
    modsec,
    needle,
    opaque,
    phrases,
    rdns_regexp,
    rdns_suffix,
    regexp,
    rewrite,
    signature,
    text,
    verify,
)

CATALOGUE: tuple[Rule, ...] = (
    *text.RULES,
    *cidr.RULES,
    *ip_exact.RULES,
    *rdns_suffix.RULES,
    *rdns_regexp.RULES,
    *regexp.RULES,
    *needle.RULES,
    *jsonl_uri.RULES,
    *map.RULES,
    *bots.RULES,
    *modsec.RULES,
    *phrases.RULES,
    *json.RULES,
    *opaque.RULES,
    *mmdb.RULES,
    *group.RULES,
    *limits.RULES,
    *job.RULES,
    *gate.RULES,
    *audit.RULES,
    *hub.RULES,
    *rewrite.RULES,
    *verify.RULES,
    *signature.RULES,
    *mirror.RULES,
)
"""All rules, family by family; within one in the order in which people meet them."""

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in CATALOGUE}
