"""Rules of a verification: findings about the public copy, as readers of one address family get it."""

from hubdata.model.rule import EITHER, ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "verify.no-address",
        ERROR,
        "The host has no address of the family. Engines in networks that have only this one never get anything.",
        Example(note="a host without an AAAA record"),
        "Add the record, and switch the family on at the CDN.",
    ),
    Rule(
        "verify.dns",
        ERROR,
        "Unknown: this machine's resolver did not say whether the host has an address.",
        Example(note="a resolver that times out, or refuses"),
        "Check the machine's DNS, then look again.",
    ),
    Rule(
        "verify.no-route",
        ERROR,
        "Unknown: the machine that looks has no network of the family, so nobody saw what its readers get.",
        Example(note="a CI runner without IPv6"),
        "Look from a machine that has it, or leave the family out of `verify.families`.",
    ),
    Rule(
        "verify.address",
        ERROR,
        "The DNS gives an address where no public copy can be (link-local, multicast, reserved); it was not asked.",
        Example(note="a host that resolves to 169.254.169.254"),
        "Correct the DNS; pin the address with `--resolve` to mean it.",
    ),
    Rule(
        "verify.unreachable",
        ERROR,
        "The host has an address of the family, and nobody accepts a connection there. An engine with both families may"
        " wait for it each time; one with this alone gets nothing.",
        Example(note="an AAAA record of a load balancer that listens on IPv4 alone"),
        "Have the CDN listen on the address, or open the firewall before it.",
    ),
    Rule(
        "verify.tls",
        ERROR,
        "Engines do not trust the certificate, and download nothing.",
        Example(note="a certificate that has expired, or is for another host"),
        "Renew or correct the certificate.",
    ),
    Rule(
        "verify.silent",
        ERROR,
        "The edge accepts the connection and then says nothing, or too slowly. An engine gives up after 120 s.",
        Example(note="an edge whose origin hangs"),
        "Find out what hangs, the edge or its origin.",
    ),
    Rule(
        "verify.truncated",
        ERROR,
        "The body ends early, twice in a row. Engines may keep the half that came.",
        Example(note="Content-Length: 1024, and 512 bytes"),
        "Let the CDN forget the path; check its connection to the origin.",
    ),
    Rule(
        "verify.redirect",
        ERROR,
        "The file is not served here but elsewhere, by whom nobody checks; the redirect was not followed.",
        Example(note="a redirect to another host, port or scheme"),
        "Serve the files under the URL itself; write into `verify.url` what items of the hub name.",
    ),
    Rule(
        "verify.redirect-loop",
        ERROR,
        "Redirects lead in a circle, or do not end. Engines get nothing.",
        Example(note="/a leads to /b, and /b to /a"),
        "Mend the CDN's redirects for the path.",
    ),
    Rule(
        "verify.missing",
        ERROR,
        "Engines are told that there is no such file, and keep what they have.",
        Example(note="status 403 or 404, perhaps from before the file was there: caches keep that, too"),
        "Let the CDN forget the path; check the origin, its prefix, and the CDN's right to read.",
    ),
    Rule(
        "verify.status",
        ERROR,
        "The CDN answers with another status than 200, so engines get nothing.",
        Example(note="status 502"),
        "Check the CDN and its origin.",
    ),
    Rule(
        "verify.generation",
        ERROR,
        "The public manifest is of another generation than the target's: readers get older files, or another store's.",
        Example(note="generation 12 in public, 13 in the target"),
        "Let the CDN forget `/manifest.json`; where it is newer, find out which store the CDN stands before.",
    ),
    Rule(
        "verify.manifest",
        ERROR,
        "What is served as the manifest is none, or is not byte for byte the target's.",
        Example(note="a page for people, with status 200"),
        "Check the URL and what serves it, and find out who changed the manifest on the way.",
    ),
    Rule(
        "verify.stale",
        ERROR,
        "The edge serves a copy from before the last change. Engines that download now do so again later, if ever.",
        Example(note="old bytes, with a Last-Modified before the change"),
        "Let the CDN forget the path.",
    ),
    Rule(
        "verify.bytes",
        ERROR,
        "Engines get bytes that were never published, and load them: they check nothing.",
        Example(note="a file that somebody changed on the way, or in the store"),
        "Find out who did. `hubdata sync --once --force` publishes the right bytes anew.",
    ),
    Rule(
        "verify.content-encoding",
        ERROR,
        "Engines unpack gzip and nothing else. A binary file gains nothing by it and loses its length, ranges and ETag;"
        " bytes that cannot be unpacked are lost.",
        Example(note="Content-Encoding: br, or gzip on a .mmdb file"),
        "Pack text only, only as gzip, and only for who accepts it.",
    ),
    Rule(
        "verify.head",
        ERROR,
        "Engines send a HEAD before each download and decide by it. Refused, it makes them download each time or never;"
        " when it tells another date than GET does, they decide wrongly.",
        Example(note="status 405 for HEAD"),
        "Let the CDN answer HEAD from the same object as GET.",
    ),
    Rule(
        "verify.last-modified",
        EITHER,
        "Without the date, or with one that is still to come, every engine downloads the file each time. With one from"
        " before the change (a warning), engines that hold another state never download this one.",
        Example(note="no Last-Modified; or the one of the copy that a file was restored from"),
        "Have the edge hand on the origin's date; publish the file anew where that is wrong.",
    ),
    Rule(
        "verify.clock",
        EITHER,
        "The edge reckons by a wrong clock how fresh its copies are: it keeps them too long, or never. A warning where"
        " it tells no time.",
        Example(note="a Date an hour ago, and no Age"),
        "Set the edge's clock; or this machine's, if it is that.",
    ),
    Rule(
        "verify.unfinished",
        ERROR,
        "Unknown: the time for one look was over before this file was asked for.",
        Example(note="hundreds of large files, and an edge that is slow"),
        "Raise `verify.timeout_s`, or look at fewer files.",
    ),
    Rule(
        "verify.content-type",
        WARNING,
        "Nothing: engines do not read it. Browsers and proxies do.",
        Example(note="Content-Type: application/octet-stream for a text"),
        "Have the web server send the manifest's type, or correct `content_type` in the job file.",
    ),
    Rule(
        "verify.cache-control",
        WARNING,
        "Caches keep the file longer, or shorter, than the job says.",
        Example(note="Cache-Control: max-age=31536000 from a CDN's own setting"),
        "Have the CDN hand on the origin's Cache-Control, or correct `cache_control` in the job file.",
    ),
    Rule(
        "verify.age",
        WARNING,
        "The edge says no sensible age, so nobody can tell how old its copy is.",
        Example(note="Age: yesterday"),
        "Have the CDN send Age in seconds.",
    ),
)
