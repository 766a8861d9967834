"""What becomes of a hub's items when they are to name a mirror: the addresses change, and not a byte besides."""

import base64
import hashlib
import json

import pytest

from hubdata.audit.rewriting import Mirror, reindexed, rewritten
from hubdata.grammar.yaml_text import MAX_BYTES

OLD, NEW = "https://hub.example/web/a.txt", "https://mirror.test/web/a.txt"
OTHER, OTHER_NEW = "https://lists.example/b%20c.txt", "https://mirror.test/lists.example/b%20c.txt"
MIRROR = Mirror(
    "https://mirror.test",
    frozenset({"web/a.txt", "lists.example/b c.txt"}),
    {OLD: "web/a.txt", OTHER: "lists.example/b c.txt"},
)
FORMS = {
    "plain": "data:\n  - source_url: {u}   # why\n    dest_file: a\n",
    "single": "data:\n  - dest_file: a\n    source_url: '{u}' # 'quoted'\n",
    "double": 'data:\n  - source_url: "{u}"\n',
    "no indent": "name: x\ndata:\n- source_url: {u}\n  type: string\nlabels: {{}}\n",
    "flow": "data: [{{source_url: {u}, dest_file: a}}, {{dest_file: b, source_url: '{u}'}}]\n",
    "json": '{{"data": [{{"source_url": "{u}", "dest_file": "a"}}]}}',
    "folded": "data:\n  - source_url: >-\n      {u}\n\n    # kept\n    dest_file: a\n",
    "literal": "data:\n  - source_url: |-\n      {u}\n    dest_file: a\n",
    "several documents": "name: one\n---\ndata:\n- source_url: {u}\n...\n# between\n---\ndata:\n- source_url: {u}\n",
    "anchor": "data:\n  - source_url: &u {u}\n    dest_file: a\n  - source_url: *u\n    dest_file: b\n",
    "tag": "data:\n  - source_url: !!str {u}\n",
    "an anchored entry": "data:\n  - &e\n    source_url: {u}\n    dest_file: a\n  - *e\n",
    "an inherited address": "data:\n  - &e {{source_url: {u}, dest_file: a}} # why\n  - <<: *e\n    dest_file: b\n",
    "an inherited list": "name: one\n---\nx: &x\n  data: [{{source_url: {u}}}]\n<<: *x\n",
    "beyond ASCII": "description: 'é😀 \u2028 ü'\ndata:\n  - source_url: {u} # 😀\n    dest_file: é\n",
    "tabs and blanks": "data:   \n  -   source_url:\t{u}\t \n      dest_file:   a   \n",
    "a value on the next line": "data:\n  - source_url:\n      {u}\n    dest_file: a\n",
    "no last line feed": "data:\n  - source_url: {u}",
    "an explicit key": "data:\n  - ? source_url\n    : {u}\n    ? dest_file\n    : a\n",
    "mentioned elsewhere": "# {u}\ndata:\n  - dest_file: a # {u}\n    source_url: {u}\n",
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("form", FORMS)
def test_the_address_changes_and_nothing_besides(form: str, ends: str) -> None:
    """Comments, quotes, blanks, line ends: byte for byte; and doing it again finds it done."""
    text = FORMS[form].replace("\n", ends)
    count = text.count("{u}") - text.count("# {u}")
    done = rewritten("a.yaml", text.format(u=OLD).encode(), MIRROR)
    expected = text.replace("# {u}", f"# {OLD}").format(u=NEW)
    assert (done.body or b"").decode() == expected
    assert done.findings == ()
    assert {(each.old, each.new) for each in done.changed} == {(OLD, NEW)}
    again = rewritten("a.yaml", done.body or b"", MIRROR)
    assert (again.body, again.changed, again.findings) == (None, (), ())
    assert again.already >= count


def test_a_byte_order_mark_stays() -> None:
    """Some editors put one there."""
    body = b"\xef\xbb\xbfdata:\n  - source_url: " + OLD.encode() + b"\n"
    assert rewritten("a.yaml", body, MIRROR).body == body.replace(OLD.encode(), NEW.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data:\n  - source_url: >-\n      https://hub.example/\n    type: x\n", None),
        (
            'data:\n  - source_url: "https://hub.example/\\\n      web/a.txt" # c\n',
            f'data:\n  - source_url: "{NEW}" # c\n',
        ),
        ("u: &u " + OLD + "\ndata:\n  - source_url: *u # c\n", f"u: &u {OLD}\ndata:\n  - source_url: {NEW} # c\n"),
        ("data:\n  - source_url: |\n      " + OLD + "\n    type: x\n", f"data:\n  - source_url: {NEW}\n    type: x\n"),
        (
            "data:\n  - source_url: https://HUB.example:443/%77eb/a.txt\n",
            f"data:\n  - source_url: {NEW}\n",
        ),
    ],
    ids=["a directory", "over two lines", "an alias", "a line end in the value", "another spelling"],
)
def test_what_cannot_stay_as_it_was_written_is_written_plainly(text: str, expected: str | None) -> None:
    """An alias to what is no source_url becomes the address itself; a value over two lines becomes one."""
    done = rewritten("a.yaml", text.encode(), MIRROR)
    assert (None if done.body is None else done.body.decode()) == expected
    assert bool(done.findings) == (expected is None)


def test_an_address_with_brackets_is_quoted() -> None:
    """An IPv6 mirror's: in a list in brackets it would be YAML's own sign."""
    mirror = Mirror("http://[::1]:8080", MIRROR.keys, MIRROR.by_url)
    done = rewritten("a.yaml", f"data: [{{source_url: {OLD}, dest_file: a}}]\n".encode(), mirror)
    assert done.body == b'data: [{source_url: "http://[::1]:8080/web/a.txt", dest_file: a}]\n'


def test_a_key_is_escaped_in_its_address() -> None:
    """The key has a blank; the address has none."""
    done = rewritten("a.yaml", f"data:\n  - source_url: {OTHER}\n".encode(), MIRROR)
    assert (done.body or b"").decode() == f"data:\n  - source_url: {OTHER_NEW}\n"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a.txt",
        OLD + "?v=2",
        "https://mirror.test/web/gone.txt",
        "ftp://hub.example/web/a.txt",
        "https://user:secret@hub.example/web/a.txt",
        "/web/a.txt",
        "https://[broken/a",
    ],
)
def test_what_the_mirror_has_no_copy_of_is_told_and_left(url: str) -> None:
    """The line is named; the others of the file change all the same."""
    text = f"data:\n  - source_url: {url}\n    dest_file: x\n  - source_url: {OLD}\n"
    done = rewritten("a.yaml", text.encode(), MIRROR)
    assert (done.body or b"").decode() == text.replace(f"{OLD}\n", f"{NEW}\n")
    assert [(each.rule, each.line) for each in done.findings] == [("rewrite.unpublished", 2)]


def test_an_address_that_others_read_by_an_alias_is_left() -> None:
    """What the alias means would change with it, and it is no source_url."""
    text = f"data:\n  - source_url: &u {OLD}\n    dest_file: a\nreferences: [*u]\n"
    done = rewritten("a.yaml", text.encode(), MIRROR)
    assert done.body is None
    assert [each.rule for each in done.findings] == ["rewrite.unclear"]


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "a: *b\n", "x" * (MAX_BYTES + 1)])
def test_what_is_no_yaml_is_told_and_left(text: str) -> None:
    """As in an audit."""
    done = rewritten("a.yaml", text.encode(), MIRROR)
    assert (done.body, [each.rule for each in done.findings]) == (None, ["audit.unreadable"])


def test_a_copy_made_by_other_means_is_known_by_where_it_was_copied_from() -> None:
    """A tree that was copied as it is: its manifest says nothing of addresses."""
    mirror = Mirror("https://mirror.test/hub", frozenset({"web/a.txt"}), origins=("https://hub.example",))
    assert mirror.key_of(OLD + "?v=2") is None
    done = rewritten("a.yaml", f"data:\n  - source_url: {OLD}\n".encode(), mirror)
    assert (done.body or b"").decode() == "data:\n  - source_url: https://mirror.test/hub/web/a.txt\n"


def _index(body: bytes, *, content: bool = True, indent: int | None = 1) -> bytes:
    item = {
        "path": "scenarios/a.yaml",
        "version": "0.2",
        "versions": {"0.1": {"digest": "0" * 64}, "0.2": {"digest": hashlib.sha256(body).hexdigest()}},
    }
    if content:
        item["content"] = base64.b64encode(body).decode()
    return json.dumps({"scenarios": {"x/a": item}, "parsers": {}}, indent=indent).encode()


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_index_gets_the_digests_of_what_was_rewritten(content: bool, indent: int | None) -> None:
    """Just those change, in its own layout; again, and nothing changes."""
    old, new = b"source_url: a\n", b"source_url: b\n"
    index, fitting, findings = reindexed(_index(old, content=content, indent=indent), {"scenarios/a.yaml": (old, new)})
    assert (index, fitting, findings) == (_index(new, content=content, indent=indent), 1, ())
    assert reindexed(index, {"scenarios/a.yaml": (old, new)}) == (index, 1, ())


def test_an_index_of_other_items_is_left() -> None:
    """Its digest is of another text: somebody has to make a new one."""
    index, fitting, findings = reindexed(_index(b"other"), {"scenarios/a.yaml": (b"old", b"new")})
    assert (index, fitting, [each.rule for each in findings]) == (_index(b"other"), 0, ["rewrite.index"])
    assert [each.rule for each in reindexed(b"[", {"a": (b"", b"x")})[2]] == ["rewrite.index"]


def test_an_index_is_left_where_a_digest_stands_for_something_else_too() -> None:
    """Two items are equal, and only one was rewritten: exchanging the digest would change the other."""
    old, new = b"source_url: a\n", b"source_url: b\n"
    index = json.loads(_index(old))
    index["parsers"] = {"x/b": {**index["scenarios"]["x/a"], "path": "parsers/b.yaml"}}
    body = json.dumps(index).encode()
    left, fitting, findings = reindexed(body, {"scenarios/a.yaml": (old, new)})
    assert (left, fitting, [each.rule for each in findings]) == (body, 0, ["rewrite.index"])
