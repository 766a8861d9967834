"""Records of several vendors, and of nobody's, as country, system and organisation."""

import pytest

from hubdata.mmdb.whereabouts import together, whereabouts
from hubdata.model.lookup import Whereabouts

CITY = {
    "city": {"names": {"en": "Berlin", "de": "Berlin"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
    "registered_country": {"iso_code": "US", "names": {"en": "United States"}},
}
ASN = {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"}
IPINFO = {"country": "Germany", "country_code": "DE", "asn": "AS3320", "as_name": "Deutsche Telekom AG"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(CITY, Whereabouts("DE", "Germany", "Berlin"), id="City"),
        pytest.param(ASN, Whereabouts(asn=15169, organisation="GOOGLE"), id="ASN"),
        pytest.param({"traits": ASN}, Whereabouts(asn=15169, organisation="GOOGLE"), id="Enterprise"),
        pytest.param(IPINFO, Whereabouts("DE", "Germany", "", 3320, "Deutsche Telekom AG"), id="IPinfo"),
        pytest.param(
            {"registered_country": {"iso_code": "AU", "names": {"en": "Australia"}}},
            Whereabouts("AU", "Australia"),
            id="registered alone",
        ),
        pytest.param({"country": ["DE"], "asn": "3320", "traits": 7, "city": None}, Whereabouts(), id="other types"),
        pytest.param({"country": {"iso_code": 49}, "autonomous_system_number": True}, Whereabouts(), id="other values"),
        pytest.param("DE", Whereabouts(), id="a text"),
        pytest.param(None, Whereabouts(), id="no record"),
    ],
)
def test_a_record_tells_what_it_has_in_the_fields_that_are_known(record: object, expected: Whereabouts) -> None:
    """Nested or flat; a field of another type is one that is not there."""
    assert whereabouts(record) == expected


def test_several_records_tell_together_what_none_tells_alone() -> None:
    """The country comes whole from one, the system whole from another; the first to know is believed."""
    parts = [whereabouts(record) for record in (ASN, CITY, IPINFO)]
    assert together(parts) == Whereabouts("DE", "Germany", "Berlin", 15169, "GOOGLE")
    assert together([]) == Whereabouts()
