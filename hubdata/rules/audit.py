"""Rules of the audit: findings about hub items, held against what is published."""

from hubdata.model.finding import Severity
from hubdata.model.rule import ERROR, WARNING, Example, Rule

_INFO = (Severity.INFO,)

RULES = (
    Rule(
        "audit.unreadable",
        ERROR,
        "The item is no YAML that can be read, so an engine does not load it; nothing of it was audited.",
        Example(note="a key that stands twice, an alias to nothing, a tab for indentation"),
        "Mend the YAML at the line given.",
    ),
    Rule(
        "audit.data-entry",
        ERROR,
        "Engines read data entries strictly: one unknown key, no source_url, no dest_file, or a dest_file outside the"
        " data directory, and the whole item is refused.",
        Example(note="sha256: ... beside source_url"),
        "Keep to source_url, dest_file, type, cache, strategy, size and ttl.",
    ),
    Rule(
        "audit.dangling",
        ERROR,
        "Nothing is published under the URL. Engines log an error at each update, and the file never matches.",
        Example(note="source_url: https://hub-data.example.net/web/, a directory; or a name with a typing error"),
        "Correct the URL, have a job publish the file, or remove the entry.",
    ),
    Rule(
        "audit.type",
        ERROR,
        "Engines load a file as its entry's `type` says. As another one its lines are not loaded, or kill the engine:"
        " a text loaded as regexp is compiled.",
        Example(note="type: regexp for a file that a job publishes as needle"),
        "Declare the type that fits the kind, or publish the file as another kind and have it checked as that.",
    ),
    Rule(
        "audit.use",
        (Severity.ERROR, Severity.WARNING),
        "An expression does something with the file that its kind is not checked for: it silently never matches, or"
        " matches what it must not. A warning where reverse DNS names meet a file that is not checked as one, or text"
        " in one case meets needles that nobody holds to it.",
        Example(note="evt.Meta.source_ip in File('ranges.txt'), and ranges.txt holds networks (kind cidr)"),
        "Use the file as its kind wants it (IpInRange for cidr, in File for ip-exact ...), or publish it as the kind"
        " that fits the use.",
    ),
    Rule(
        "audit.same-dest",
        ERROR,
        "Two items write one file with different content, or load it as different types: both read whichever was"
        " downloaded last.",
        Example(note="two items with dest_file: bots.txt and different source_url"),
        "Give the files different names, or both items the same source and type.",
    ),
    Rule(
        "audit.no-address",
        ERROR,
        "The host does not exist in the DNS: no engine gets the file. Found with `--resolve`.",
        Example(note="source_url on a domain that was given up, which anybody may register now"),
        "Correct the URL, or mirror the file from wherever it is now.",
    ),
    Rule(
        "audit.no-ipv6",
        WARNING,
        "The host has no AAAA record: engines in networks without IPv4 never get the file. Found with `--resolve`.",
        Example(note="a host that has only A records"),
        "Ask its operator for an IPv6 address, or mirror the file.",
    ),
    Rule(
        "audit.external",
        WARNING,
        "The file comes from a host that nobody here checks: what it serves, tomorrow too, reaches every engine.",
        Example(note="source_url: https://www.example.com/ips.txt"),
        "Mirror the file into the data repository, have a job publish it, and use that copy.",
    ),
    Rule(
        "audit.external-copy",
        WARNING,
        "The item still uses a foreign copy, or the repository itself, although a checked copy is published.",
        Example(note="source_url: https://www.example.com/ips.txt, and whitelists/ips.txt is published"),
        "Compare the two, then use the published copy.",
    ),
    Rule(
        "audit.plain-http",
        WARNING,
        "The file is downloaded unencrypted: anybody on the way can change what an engine loads.",
        Example(note="source_url: http://..."),
        "Use https.",
    ),
    Rule(
        "audit.undeclared",
        WARNING,
        "An expression uses a file that no item of the hub downloads. It never matches, and engines log each attempt.",
        Example(note="RegexpInFile(evt.Parsed.x, 'patterns.txt') without a data entry for patterns.txt"),
        "Add the data entry, or correct the name.",
    ),
    Rule(
        "audit.no-cache",
        _INFO,
        "Every event is tried against every pattern of the file, and no answer is remembered.",
        Example(note="RegexpInFile in a scenario's filter, and neither strategy, size nor ttl in the data entry"),
        "Add `strategy: LRU`, a `size` and a `ttl` to the data entry.",
    ),
    Rule(
        "audit.unused",
        _INFO,
        "Every engine downloads the file and loads it into memory, and no expression of the hub uses it.",
        Example(note="a data entry whose dest_file stands in no expression"),
        "Remove the entry, or use the file.",
    ),
    Rule(
        "audit.orphan",
        _INFO,
        "Nothing: no item downloads the file. Older engines, or people, may still ask for it.",
        Example(note="web/old_list.txt is published, and no item names it"),
        "Use it, or stop publishing it (an [[ignore]] in the job file) once nobody asks for it any more.",
    ),
)
