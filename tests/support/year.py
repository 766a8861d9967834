"""The story of a year: what maintainers of the data repository do, and what the run after each of their commits does.

Each row is a commit as the repository's history has them, or a day on which somebody approves what is held, or on
which only time passes. It says what the run refuses, holds and publishes. `tests/e2e/test_a_year.py` lives it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.support import edits
from tests.support.edits import Edit, append, back, replace, several, without
from tests.support.real import SEC_LISTS

FIRST_DAY = date(2026, 4, 6)
EVERY, A_DAY = timedelta(days=6), timedelta(days=1)
"""Commits come about weekly; approvals the next morning."""

WAIVERS_END = date(2027, 4, 1)

# --- The files of the story ----------------------------------------------------------------------------------------

CDN, BOTS = "whitelists/cdn_providers", "whitelists/benign_bots"
CRAWLERS, LEGIT = f"{BOTS}/search_engine_crawlers", f"{BOTS}/legit_bots"
GCORE4, GCORE6, QUIC = f"{CDN}/gcore_ipv4.txt", f"{CDN}/gcore_ipv6.txt", f"{CDN}/quic_cloud_ips.txt"
AWS4, CLOUDFLARE, ARVAN = f"{CDN}/aws_cloudfront_ipv4.txt", f"{CDN}/cloudflare_ips.txt", f"{CDN}/arvancloud_ips.txt"
COOKIEBOT, SEO_IPS, GOOGLE4 = (
    f"{BOTS}/cookiebot_ips.txt",
    f"{CRAWLERS}/ip_seo_bots.txt",
    f"{CRAWLERS}/google_special_crawlers_ipv4.txt",
)
SUFFIXES, NAMES = f"{CRAWLERS}/rdns_seo_bots.txt", f"{CRAWLERS}/rnds_seo_bots.regex"
LETSENCRYPT, PROXIES = f"{BOTS}/rdns_letsencrypt.regex", f"{BOTS}/rdns_corporate_proxies.regex"
YAHOO, GOOGLEBOT, NEWBOT = f"{LEGIT}/yahoo.json", f"{LEGIT}/googlebot.json", f"{LEGIT}/newbot.json"
CVES, CVE_URIS, AGENTS = "web/trendy_cves.txt", "web/trendy_cves_uris.json", "web/bad_user_agents.txt"
AGENT_PATTERNS, BACKDOORS, SENSITIVE = "web/bad_user_agents.regex.txt", "web/backdoors.txt", "web/sensitive_data.txt"
TRAVERSAL, ADMIN, PROBING = "web/path_traversal.txt", "web/admin_interfaces.txt", "web/technology_probing.json"
XSS, THINKPHP = "web/xss_probe_patterns.txt", "web/thinkphp_cve_2018-20062.txt"
DOMAINS, SETUP = "appsec/disposable_email_domains.data", "appsec/crs/REQUEST-901-INITIALIZATION.conf"
OAUTH = "appsec/crs-plugins/google-oauth2-plugin/google-oauth2-before.conf"
RELEASE = edits.files_of(SEC_LISTS, "appsec/crs") if SEC_LISTS.is_dir() else ()

ANCHORED = rb"""^rate-limited-proxy-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}\.google\.com\.$
^crawl-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}\.googlebot\.com\.$
^google-proxy-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}\.google\.com\.$
^fwdproxy-[a-z]+-[0-9]+\.fbsv\.net\.$
"""

LIMIT, REWOUND = "limits.max-change", "limits.rewound"
"""Why a change is held."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the story; without an edit it is no commit.

    `approve` gives the run the ids that the row before left held; what it then publishes and holds tells whether they
    still were the plans' own. `on` is a certain day.
    """

    told: str
    edit: Edit | None = None
    published: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    approve: bool = False
    on: date | None = None


def rows(text: str, count: int) -> tuple[str, ...]:
    """Return `count` rows made from `text`, which has a place for a number."""
    return tuple(text.format(number) for number in range(1, count + 1))


SPRING = (
    Entry(
        "two CVEs are in the news",
        several(
            append(
                CVE_URIS, '{"cve":"CVE-2026-1001","uri":"/api/v9/jobs/run"}', '{"cve":"CVE-2026-1002","uri":"/x9.cgi"}'
            ),
            append(CVES, "#cve-2026-1001", "/api/v9/jobs/run"),
        ),
        published=(CVE_URIS, CVES),
    ),
    Entry(
        "one more bad user agent, in both forms of the list",
        several(append(AGENTS, "EvilScanner9000"), append(AGENT_PATTERNS, "(?:\\b)EvilScanner9000(?:\\b)")),
        published=(AGENTS, AGENT_PATTERNS),
    ),
    Entry("gcore moves by 3 %", edits.moved(GCORE4, 0.03, *rows("92.223.100.{}/32", 29)), published=(GCORE4,)),
    Entry("and in IPv6", edits.moved(GCORE6, 0.03, *rows("2a03:90c0:5::{}/128", 24)), published=(GCORE6,)),
    Entry("the README is rewritten", edits.write("README.md", b"# Lists\n")),
    Entry(
        "34 more sensitive files, a third more", append(SENSITIVE, *rows(".backup{}.tgz", 34)), published=(SENSITIVE,)
    ),
    Entry("a short list gains 20 lines", append(TRAVERSAL, *rows("..%25{}f..%252f", 20)), published=(TRAVERSAL,)),
    Entry("three more addresses of quic.cloud", append(QUIC, *rows("102.221.37.{}", 3)), published=(QUIC,)),
    Entry(
        "ACCIDENT: a full disk cuts that list off; its last line is a valid address still, and somebody else's",
        edits.truncated(QUIC, 1200),
        held=((QUIC, LIMIT),),
    ),
    Entry("it is restored: what is public was never touched", back(QUIC)),
    Entry("three more edges of CloudFront", append(AWS4, *rows("3.165.{}.0/24", 3)), published=(AWS4,)),
    Entry(
        "ACCIDENT: a script takes EC2's networks, too",
        append(AWS4, "3.80.0.0/13", "3.88.0.0/13"),
        refused=((AWS4, "limits.must-not-contain"),),
    ),
    Entry("the script is mended", without(AWS4, "3.80.0.0/13", "3.88.0.0/13")),
)

SUMMER = (
    Entry(
        "a third more disposable domains", append(DOMAINS, *rows("mailtrash{}.example", 17_000)), published=(DOMAINS,)
    ),
    Entry("the list is cleaned: 97 % of it goes", edits.kept(DOMAINS, 0.03), held=((DOMAINS, LIMIT),)),
    Entry("its owner approves the plan", approve=True, published=(DOMAINS,)),
    Entry("a release of the Core Rule Set, 49 files", edits.release("appsec/crs", "4.15.0"), published=RELEASE),
    Entry("five more backdoors", append(BACKDOORS, *rows("wso-{}.php", 5)), published=(BACKDOORS,)),
    Entry(
        "ACCIDENT: the upstream answers with an error page",
        edits.write(PROBING, b"<!DOCTYPE html>\n<html><body><h1>503</h1></body></html>\n"),
        refused=((PROBING, "limits.min-entries"), (PROBING, "text.html")),
    ),
    Entry(
        "the real list again, and one row more",
        several(
            back(PROBING), append(PROBING, '{"tag": "grafana-probing", "pattern": "/grafana9/login", "type": "equals"}')
        ),
        published=(PROBING,),
    ),
    Entry(
        "ACCIDENT: a formatter strips the final dots of the names",
        edits.rewrite(SUFFIXES, lambda body: body.replace(b".\n", b"\n")),
        refused=((SUFFIXES, "limits.must-contain"), (SUFFIXES, "rdns-suffix.no-final-dot")),
    ),
    Entry(
        "the dots are back, and two crawlers more",
        several(back(SUFFIXES), append(SUFFIXES, ".crawl.coccoc.com.", ".petalsearch.com.")),
        published=(SUFFIXES,),
    ),
    Entry(
        "cookiebot moves: all its addresses are replaced, by more",
        edits.moved(COOKIEBOT, 1.0, "# Updated: Mon 03 Aug 2026", *rows("20.54.10.{}", 26)),
        published=(COOKIEBOT,),
    ),
    Entry(
        "ACCIDENT: 0.0.0.0/0",
        append(ARVAN, "0.0.0.0/0"),
        refused=((ARVAN, "cidr.special-purpose"), (ARVAN, "cidr.too-wide")),
    ),
    Entry(
        "the network that was meant",
        replace(ARVAN, "0.0.0.0/0", "37.32.20.0/27"),
        published=(ARVAN,),
    ),
    Entry(
        "ACCIDENT: a look-ahead, which ends every engine that loads it",
        append(AGENT_PATTERNS, "(?=.*bot)curl"),
        refused=((AGENT_PATTERNS, "regexp.syntax"),),
    ),
    Entry(
        "somebody else's change goes out while that file waits",
        append(CVES, "#cve-2026-1003", "/cgi-bin/x9.cgi"),
        published=(CVES,),
        refused=((AGENT_PATTERNS, "regexp.syntax"),),
    ),
    Entry("the pattern is mended", replace(AGENT_PATTERNS, "(?=.*bot)curl", "curlbot/"), published=(AGENT_PATTERNS,)),
)

AUTUMN = (
    Entry(
        "ACCIDENT: the CVEs are pretty-printed, and every path would match",
        edits.pretty(CVE_URIS),
        refused=((CVE_URIS, "jsonl-uri.pretty-printed"),),
    ),
    Entry(
        "one object a line again, and three more",
        several(back(CVE_URIS), append(CVE_URIS, *rows('{{"cve":"CVE-2026-200{0}","uri":"/remote/fgt_lang9{0}"}}', 3))),
        published=(CVE_URIS,),
    ),
    Entry(
        "ACCIDENT: a rule file is saved with CRLF; nothing of the firewall's job goes out",
        several(edits.crlf(SETUP), append(DOMAINS, "mailtrash-a.example")),
        refused=((SETUP, "text.cr"),),
    ),
    Entry("LF again: now the other change goes out, too", back(SETUP), published=(DOMAINS,)),
    Entry("ACCIDENT: a file is deleted; it stays public", edits.delete(YAHOO)),
    Entry(
        "it comes back with one name more",
        several(back(YAHOO), replace(YAHOO, '"slurp"', '"slurp|yahoocachesystem"')),
        published=(YAHOO,),
    ),
    Entry(
        "a new crawler in a file of its own",
        edits.write(NEWBOT, b'{"name":"newbot","user_agent":"newbot","rdns":["(^|\\\\.)crawl\\\\.newbot\\\\.com$"]}\n'),
        published=(NEWBOT,),
    ),
    Entry(
        "a script that no job speaks for",
        edits.write("tools/fetch.py", b"print('hello')\n"),
        refused=(("tools/fetch.py", "job.unclaimed"),),
    ),
    Entry("it goes where it belongs", edits.delete("tools/fetch.py")),
    Entry("three more backdoors", append(BACKDOORS, *rows("b374k-{}.php", 3)), published=(BACKDOORS,)),
    Entry("and two more", append(BACKDOORS, *rows("c99-{}.php", 2)), published=(BACKDOORS,)),
    Entry(
        "ACCIDENT: a force-push throws these two commits away",
        edits.forced_push(append(BACKDOORS, "r57-1.php"), append(CVES, "#cve-2026-1004", "/rest/v9/tokens"), over=2),
        published=(CVES,),
        held=((BACKDOORS, REWOUND),),
    ),
    Entry("it was meant: the maintainer approves", approve=True, published=(BACKDOORS,)),
    Entry(
        "a crawler's first IPv6 network, a /48, and another /24",
        append(SEO_IPS, "54.236.2.0/24", "2620:171:f0::/48"),
        published=(SEO_IPS,),
    ),
    Entry("and then four times that: a look is wanted", append(SEO_IPS, "54.236.4.0/22"), held=((SEO_IPS, LIMIT),)),
    Entry(
        "the network is another one when somebody approves the first: neither goes out",
        replace(SEO_IPS, "54.236.4.0/22", "54.236.8.0/22"),
        held=((SEO_IPS, LIMIT),),
        approve=True,
    ),
    Entry("nobody can say why: it is taken back", without(SEO_IPS, "54.236.8.0/22")),
)

WINTER = (
    Entry(
        "a crawler known by name gets ranges: a /19 at once",
        replace(GOOGLEBOT, '"rdns"', '"ranges":["66.249.64.0/19"],"rdns"'),
        held=((GOOGLEBOT, LIMIT),),
    ),
    Entry(
        "they are the vendor's own: approved, while somebody else's change waits for its turn",
        append(CVES, "#cve-2026-1005", "/owa9/auth.owa"),
        published=(GOOGLEBOT,),
        approve=True,
    ),
    Entry("the next run brings that one", published=(CVES,)),
    Entry(
        "ACCIDENT: Cloudflare loses a /13",
        without(CLOUDFLARE, "172.64.0.0/13"),
        refused=((CLOUDFLARE, "limits.must-contain"),),
    ),
    Entry(
        "it is back; a new network has host bits",
        several(back(CLOUDFLARE), append(CLOUDFLARE, "188.42.98.1/24")),
        refused=((CLOUDFLARE, "cidr.host-bits"),),
    ),
    Entry("without them", replace(CLOUDFLARE, "188.42.98.1/24", "188.42.98.0/24"), published=(CLOUDFLARE,)),
    Entry("a list comes in another order: the same networks", edits.reordered(GOOGLE4), published=(GOOGLE4,)),
    Entry(
        "ACCIDENT: a capital letter, which no lowered path holds",
        append(ADMIN, "/Manager9/"),
        refused=((ADMIN, "needle.case"),),
    ),
    Entry("in lower case", replace(ADMIN, "/Manager9/", "/manager9/"), published=(ADMIN,)),
    Entry(
        "ACCIDENT: a list is emptied",
        edits.write(XSS, b""),
        refused=((XSS, "limits.min-entries"), (XSS, "text.empty")),
    ),
    Entry(
        "ACCIDENT: restored by an editor that adds a byte order mark",
        several(back(XSS, to="HEAD~1"), edits.rewrite(XSS, lambda body: b"\xef\xbb\xbf" + body)),
        refused=((XSS, "text.bom"),),
    ),
    Entry("restored as it was", back(XSS, to="HEAD~2")),
    Entry(
        "ACCIDENT: a link", edits.link(f"{CDN}/all.txt", "gcore_ipv4.txt"), refused=((f"{CDN}/all.txt", "source.link"),)
    ),
    Entry("the link goes", edits.delete(f"{CDN}/all.txt")),
    Entry(
        "ThinkPHP is rewritten: ten of thirteen lines go, twelve come",
        edits.moved(THINKPHP, 0.77, *rows("think.{}invokefunction9", 12)),
        published=(THINKPHP,),
    ),
)

THE_END = (
    Entry(
        "the waivers have ended, and nobody has mended what they let out",
        on=WAIVERS_END,
        refused=(
            (OAUTH, "modsec.quoting"),
            (PROXIES, "rdns-regexp.unescaped-dot"),
            (LETSENCRYPT, "rdns-regexp.unescaped-dot"),
            (NAMES, "rdns-regexp.unanchored"),
        ),
    ),
    Entry(
        "upstream mends all four",
        several(
            replace(PROXIES, ".cluster-[a-z]+.forcepoint.net.", "\\.cluster-[a-z]+\\.forcepoint\\.net\\."),
            replace(PROXIES, ".sme.zscaler.net", "\\.sme\\.zscaler\\.net\\."),
            replace(LETSENCRYPT, ".letsencrypt.org.", "\\.letsencrypt\\.org\\."),
            edits.write(NAMES, ANCHORED),
            replace(OAUTH, "chain\n    SecRule ARGS_NAMES", 'chain"\n    SecRule ARGS_NAMES'),
        ),
        published=(LETSENCRYPT, NAMES, OAUTH, PROXIES),
    ),
)

YEAR = (*SPRING, *SUMMER, *AUTUMN, *WINTER, *THE_END)
