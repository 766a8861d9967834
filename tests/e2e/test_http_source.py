"""`sync --once` with lists from the web: whatever a publisher sends that would hurt an engine stays out of public."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.support.list_server import ListServer, path_of
from tests.support.poison import corpus
from tests.support.small_world import SETTINGS, SmallWorld, findings, problem

ITEM = """
[[source.items]]
url = "{url}"
output = "{output}"
"""
FILES = """
[[files]]
match = "{output}"
kind = "{kind}"
"""
GOOD = "lists/good.txt"


def test_no_poison_of_the_whole_corpus_gets_out_and_nothing_else_is_kept_in(tmp_path: Path) -> None:
    """A hundred publishers gone bad in one run, and one that is well: its list is public, and none of theirs."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    poisons = [poison for poison in corpus() if poison.plain and len(poison.body) < 200_000]
    assert len(poisons) >= 100
    with ListServer() as server:
        source, files = ['[source]\ntype = "http"\nconcurrency = 8\n'], []
        for number, poison in enumerate(poisons):
            path, output = f"/poison/{number}", f"poison/{number}"
            server.lists[path] = poison.body
            source.append(ITEM.format(url=server.origin + path, output=output))
            files.append(FILES.format(output=output, kind=poison.kind))
            if options := poison.settings.get("options"):
                files += ["[files.options]\n", *(f"{key} = {json.dumps(value)}\n" for key, value in options.items())]
        source.append(ITEM.format(url=server.url("cloudflare4"), output=GOOD))
        files.append(FILES.format(output=GOOD, kind="cidr") + "limits = { max_prefix4 = 13 }\n")
        world.write("hubdata.toml", SETTINGS)
        world.write("jobs/lists.toml", "".join((*source, *files)))
        ended = world.sync()
    assert ended.code in (3, 5), ended.stdout
    assert list(world.public()) == [GOOD]
    assert {key for key, _, _ in findings(ended, "lists")} == {f"poison/{number}" for number in range(len(poisons))}


def test_a_list_of_items_with_a_mistake_says_where_and_asks_nobody(tmp_path: Path) -> None:
    """Exit 2 with file, item and key; what a manifest holds stays."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    world.write("hubdata.toml", SETTINGS)
    world.write(
        "jobs/lists.toml",
        '[source]\ntype = "http"\nitems_file = "../items.json"\n' + FILES.format(output="a", kind="cidr"),
    )
    with ListServer() as server:
        item = {"name": "a", "url": server.url("quic"), "output": "a", "jq_filtre": "."}
        world.write("items.json", json.dumps([item]))
        problem(world.sync(), "lists", 2, "item 1 ('a'): `jq_filtre`: unknown key", "items.json")
        assert server.requests == []


def test_a_list_that_went_back_is_held_until_somebody_lets_it(tmp_path: Path) -> None:
    """A stale node of a CDN must not bring last week's list back; other lists of the same day go out."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    other = "lists/other.txt"
    with ListServer() as server:
        server.lists |= {"/good": b"8.8.8.0/24\n1.1.1.0/24\n", "/other": b"9.9.9.0/24\n"}
        server.dates = dict.fromkeys(("/good", "/other"), "Fri, 20 Nov 2026 17:00:00 GMT")
        items = ((GOOD, "/good"), (other, "/other"))
        source = [ITEM.format(url=server.origin + path, output=output) for output, path in items]
        world.write("hubdata.toml", SETTINGS)
        world.write(
            "jobs/lists.toml",
            '[source]\ntype = "http"\n' + "".join(source) + FILES.format(output="lists/*", kind="cidr"),
        )
        assert world.sync().code == 0
        server.lists |= {"/good": b"8.8.8.0/24\n", "/other": b"9.9.9.0/24\n149.112.112.0/24\n"}
        server.dates |= {"/good": "Fri, 13 Nov 2026 17:00:00 GMT"}
        ended = world.sync()
        assert (ended.code, ended.puts("mirror")) == (4, [other]), ended.stdout
        assert findings(ended, "lists") == {(GOOD, None, "limits.rewound")}
        assert world.sync("--allow-rollback").puts("mirror") == [GOOD]


def test_pruning_takes_what_is_no_item_any_more_and_never_what_failed(tmp_path: Path) -> None:
    """Whoever takes an item out means it; a publisher that is down does not."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    with ListServer() as server:
        source = []
        for number in range(4):
            server.lists[f"/{number}"] = f"8.8.{number}.0/24\n".encode()
            source.append(ITEM.format(url=f"{server.origin}/{number}", output=f"lists/{number}.txt"))

        def job(*items: str) -> str:
            head = 'prune = true\n[source]\ntype = "http"\n'
            return head + "".join(items) + FILES.format(output="lists/*", kind="cidr")

        world.write("hubdata.toml", SETTINGS)
        world.write("jobs/lists.toml", job(*source))
        assert world.sync().code == 0
        assert len(world.public()) == 4
        server.fail("/0", status=404)
        server.fail("/1", body=b"", headers={"ETag": None}, status=200)
        world.write("jobs/lists.toml", job(*source[:3]))
        ended = world.sync("--force")
        assert ended.code == 5, ended.stdout
        assert sorted(world.public()) == ["lists/0.txt", "lists/1.txt", "lists/2.txt"]


def test_a_pull_that_is_told_to_end_waits_for_no_publisher(tmp_path: Path) -> None:
    """A publisher drips for minutes; the process is gone long before, and nothing is written."""
    world = SmallWorld(tmp_path, None)  # type: ignore[arg-type]
    (tmp_path / "checkout").mkdir()
    with ListServer() as server:
        server.fail(path_of("cloudflare4"), drip_s=2)
        world.write("hubdata.toml", SETTINGS)
        item = ITEM.format(url=server.url("cloudflare4"), output=GOOD)
        world.write("jobs/lists.toml", '[source]\ntype = "http"\n' + item + FILES.format(output=GOOD, kind="cidr"))
        argv = [sys.executable, "-m", "hubdata", "pull", "lists", "--into", "checkout"]
        with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            while not server.requests:
                assert process.poll() is None
                time.sleep(0.05)
            process.terminate()
            assert process.wait(timeout=60) == 143
    assert list((tmp_path / "checkout").iterdir()) == []
