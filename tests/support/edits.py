"""What maintainers do to a data repository, by mistake too: small edits of its work tree, values to put in a table."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.support.repos import Repo

Edit = Callable[[Repo], None]


def several(*edits: Edit) -> Edit:
    """Return what does all of `edits`, for one commit."""

    def edit(repo: Repo) -> None:
        for each in edits:
            each(repo)

    return edit


def rewrite(key: str, change: Callable[[bytes], bytes]) -> Edit:
    """Return what replaces the bytes of `key` by what `change` makes of them; it must make others."""

    def edit(repo: Repo) -> None:
        path = repo.path / key
        before = path.read_bytes()
        after = change(before)
        assert after != before, f"{key}: this edit changes nothing"
        path.write_bytes(after)

    return edit


def append(key: str, *rows: str) -> Edit:
    """Return what adds rows at the end, after ending the last line if it is not ended."""

    def change(body: bytes) -> bytes:
        whole = body if not body or body.endswith(b"\n") else body + b"\n"
        return whole + "".join(f"{row}\n" for row in rows).encode()

    return rewrite(key, change)


def replace(key: str, old: str, new: str) -> Edit:
    """Return what replaces every `old`, which must be there, by `new`."""

    def change(body: bytes) -> bytes:
        assert old.encode() in body, f"{key}: {old} is not there"
        return body.replace(old.encode(), new.encode())

    return rewrite(key, change)


def without(key: str, *rows: str) -> Edit:
    """Return what takes out the lines `rows`, each of which must be there."""

    def change(body: bytes) -> bytes:
        lines = body.decode().splitlines()
        assert set(rows) <= set(lines), f"{key}: not all rows are there"
        return _joined([line for line in lines if line not in rows])

    return rewrite(key, change)


def moved(key: str, share: float, *fresh: str) -> Edit:
    """Return what drops the first `share` of the rows and adds `fresh` ones, as a provider's list moves."""

    def change(body: bytes) -> bytes:
        lines = body.decode().splitlines()
        return _joined([*lines[int(len(lines) * share) :], *fresh])

    return rewrite(key, change)


def kept(key: str, share: float) -> Edit:
    """Return what keeps the comments and only the first `share` of the rows."""

    def change(body: bytes) -> bytes:
        lines = body.decode().splitlines()
        comments = [line for line in lines if line.startswith("#")]
        rows = [line for line in lines if not line.startswith("#")]
        return _joined([*comments, *rows[: int(len(rows) * share)]])

    return rewrite(key, change)


def truncated(key: str, size: int) -> Edit:
    """Return what cuts the file off after `size` bytes, as a full disk does."""
    return rewrite(key, lambda body: body[:size])


def write(key: str, body: bytes) -> Edit:
    """Return what writes a whole file, new or not."""
    return lambda repo: repo.write({key: body})


def delete(key: str) -> Edit:
    """Return what deletes a file."""
    return lambda repo: (repo.path / key).unlink()


def link(key: str, to: str) -> Edit:
    """Return what makes a symbolic link."""
    return lambda repo: (repo.path / key).symlink_to(to)


def back(*keys: str, to: str = "HEAD~1") -> Edit:
    """Return what takes files back to what they were in an older commit."""

    def edit(repo: Repo) -> None:
        repo.git("checkout", "--quiet", to, "--", *keys)

    return edit


def crlf(key: str) -> Edit:
    """Return what saves a file as an editor on Windows does."""
    return rewrite(key, lambda body: body.replace(b"\n", b"\r\n"))


def pretty(key: str) -> Edit:
    """Return what a formatter makes of one JSON object a line."""

    def change(body: bytes) -> bytes:
        rows = [json.loads(line) for line in body.splitlines() if line.strip() and not line.startswith(b"#")]
        return (json.dumps(rows, indent=2) + "\n").encode()

    return rewrite(key, change)


def reordered(key: str) -> Edit:
    """Return what turns the order of the rows round; the same networks, other bytes."""
    return rewrite(key, lambda body: _joined(body.decode().splitlines()[::-1]))


def release(directory: str, version: str) -> Edit:
    """Return what a release of a rule set does: its version in every file of a directory, rules and phrases alike."""

    def edit(repo: Repo) -> None:
        for path in sorted(each for each in (repo.path / directory).iterdir() if each.is_file()):
            text = path.read_bytes()
            ended = text if text.endswith(b"\n") else text + b"\n"
            ended = re.sub(rb"OWASP_CRS/[\w.-]+'", f"OWASP_CRS/{version}'".encode(), ended)
            path.write_bytes(ended + f"# Core Rule Set {version}\n".encode())

    return edit


def forced_push(*edits: Edit, over: int) -> Edit:
    """Return what throws the last `over` commits away and makes other edits in their place."""

    def edit(repo: Repo) -> None:
        repo.git("reset", "--quiet", "--hard", f"HEAD~{over}")
        several(*edits)(repo)

    return edit


def files_of(tree: Path, directory: str) -> tuple[str, ...]:
    """Return the keys of the files that lie in a directory of `tree`, without those below it."""
    return tuple(sorted(p.relative_to(tree).as_posix() for p in (tree / directory).iterdir() if p.is_file()))


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
