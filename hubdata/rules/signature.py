"""Rules of signatures: findings about a public copy's manifest, when whoever reads it has the publisher's key."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "signature.missing",
        ERROR,
        "Engines look at no signature; a mirror that does cannot tell this manifest from one that somebody else made.",
        Example(note="manifest.json is there, manifest.json.minisig is not"),
        "Have the publisher set [sign]. Where it is set, the signature was taken away or a cache keeps its absence.",
    ),
    Rule(
        "signature.malformed",
        ERROR,
        "The signature cannot be read, so nothing vouches for the manifest.",
        Example(note="a page of an error in place of the signature, a line too few, an algorithm that nobody knows"),
        "Fetch it again; if it stays so, ask the publisher.",
    ),
    Rule(
        "signature.oversize",
        ERROR,
        "A manifest or a signature of this size is none that hubdata writes; it is refused before it is read.",
        Example(note="a manifest.json.minisig of 20 MB"),
        "Fetch both again; if it stays so, ask the publisher.",
    ),
    Rule(
        "signature.unknown-key",
        ERROR,
        "Somebody signed this manifest, but with none of the keys that the reader trusts.",
        Example(note="the publisher has changed keys, or somebody else has signed"),
        "Ask the publisher, by another way than this site, which key is good; during a rotation name both.",
    ),
    Rule(
        "signature.mismatch",
        ERROR,
        "The manifest is not what was signed: its digests prove nothing, and files that fit them may be an attacker's.",
        Example(note="one digest in manifest.json was exchanged, or the file was cut off"),
        "Use none of the files. Fetch both anew from elsewhere, and tell the publisher if it stays so.",
    ),
    Rule(
        "signature.comment",
        ERROR,
        "The manifest is as it was signed, but what the signature says of itself was changed without the key.",
        Example(note="generation:12 in the trusted comment was made generation:13"),
        "Use none of the files, and tell the publisher.",
    ),
    Rule(
        "signature.other-file",
        ERROR,
        "The signature is the publisher's, but of another file: it was put here to pass for the manifest's.",
        Example(note="SHA256SUMS.minisig under the name manifest.json.minisig"),
        "Use none of the files, and tell the publisher.",
    ),
    Rule(
        "signature.other-generation",
        ERROR,
        "The manifest and its signature are of two moments. They are written and cached one by one, so that may pass.",
        Example(note="manifest.json of generation 13 with the signature of generation 12"),
        "Fetch both again after a minute. If it stays so, a cache was not told, or somebody holds one of them back.",
    ),
    Rule(
        "signature.rolled-back",
        ERROR,
        "The signature is good, but of an older state than the reader has seen: somebody serves the past.",
        Example(note="generation 11 from a mirror whose last visit saw generation 12"),
        "Fetch from elsewhere. Only if the publisher has begun anew, at generation 1, lower --min-generation.",
    ),
)
