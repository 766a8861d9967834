"""Look-ups as people and programs read them."""

import json
from typing import Any

from hubdata.model.lookup import Answer, AskedDatabase, LookedUp, LookupResult, Whereabouts
from hubdata.report.geoip_lookup_json import lookup_json, plain_value
from hubdata.report.geoip_lookup_text import lookup_text
from hubdata.report.terminal import Screen

CITY = "mmdb_update/GeoLite2-City.mmdb"
ASN = "mmdb_update/GeoLite2-ASN.mmdb"
US = Whereabouts("US", "United States", "Berkeley")
QUAD9 = Whereabouts(asn=19281, organisation="QUAD9")
FOUND = LookedUp(
    "9.9.9.9",
    (
        Answer(ASN, "9.9.9.0/24", {"autonomous_system_number": 19281}, QUAD9),
        Answer(CITY, "9.9.0.0/16", {"country": {"iso_code": "US"}}, US),
    ),
    Whereabouts("US", "United States", "Berkeley", 19281, "QUAD9"),
    "9.9.9.0/24",
)
SILENT = LookedUp("::1", (Answer(ASN), Answer(CITY, "::/16")))
BROKEN = LookedUp("1.1.1.1", (Answer(ASN, problem="InvalidDatabaseError: `bad`"), Answer(CITY, "1.0.0.0/8", 7)))
RESULT = LookupResult((AskedDatabase(ASN, "GeoLite2-ASN", 1), AskedDatabase(CITY, "GeoLite2-City", 2)), (FOUND, SILENT))


def test_a_person_sees_a_line_for_each_database_that_knows_the_address() -> None:
    """Network, place and owner side by side; who knows nothing stands in one line."""
    assert lookup_text(RESULT, Screen()).splitlines() == [
        "9.9.9.9",
        "  GeoLite2-ASN   9.9.9.0/24  AS19281 QUAD9",
        "  GeoLite2-City  9.9.0.0/16  US United States, Berkeley",
        "0::1",
        "  no record in GeoLite2-ASN, GeoLite2-City",
    ]


def test_no_line_of_a_look_up_is_an_order_to_a_ci_service() -> None:
    """An address that begins with two colons is written so that a runner does not obey it, and is still the same."""
    told = LookedUp("::error::x", (Answer(CITY, "::/0", {"a": "\x1b[2J"}, Whereabouts(city="::stop\u202e")),))
    text = lookup_text(LookupResult((), (told,)), Screen(), verbose=True)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_verbose_shows_every_record_whole() -> None:
    """Indented below its line."""
    text = lookup_text(RESULT, Screen(), verbose=True)
    assert '      "iso_code": "US"' in text


def test_a_record_that_cannot_be_read_and_one_without_known_fields_are_told() -> None:
    """The first with what the reader said; for the second there is -v."""
    lines = lookup_text(LookupResult((), (BROKEN,)), Screen()).splitlines()
    assert lines[1] == "  GeoLite2-ASN   InvalidDatabaseError: `bad`"
    assert lines[2].startswith("  GeoLite2-City  1.0.0.0/8  a record without country or system")


def test_notices_come_first_and_quiet_leaves_them_out() -> None:
    """What was asked is shown either way."""
    result = LookupResult((), (FOUND,), notices=("look out",))
    assert lookup_text(result, Screen()).startswith("note: look out\n\n9.9.9.9\n")
    assert lookup_text(result, Screen(), quiet=True).startswith("9.9.9.9\n")


def test_a_program_gets_every_answer_with_its_record() -> None:
    """One object; what is not known is null or empty, never left out."""
    said: dict[str, Any] = json.loads(lookup_json(RESULT))
    assert said["exit_code"] == 0
    assert said["databases"][0] == {"name": ASN, "database_type": "GeoLite2-ASN", "build_epoch": 1}
    found, silent = said["addresses"]
    assert {name: found[name] for name in ("ip", "found", "network", "country", "asn", "organisation")} == {
        "ip": "9.9.9.9",
        "found": True,
        "network": "9.9.9.0/24",
        "country": "US",
        "asn": 19281,
        "organisation": "QUAD9",
    }
    assert found["answers"][1]["record"] == {"country": {"iso_code": "US"}}
    assert (silent["found"], silent["asn"], silent["answers"][0]["record"]) == (False, None, None)
    assert silent.keys() == found.keys()


def test_whatever_a_record_holds_becomes_strict_json() -> None:
    """Bytes are shown in hexadecimal; JSON has no infinity."""
    odd = {"b": b"\x00\xff", "i": float("inf"), "n": [float("nan"), 2**127], "t": {"x": True}}
    assert plain_value(odd) == {"b": "00ff", "i": "inf", "n": ["nan", 2**127], "t": {"x": True}}
