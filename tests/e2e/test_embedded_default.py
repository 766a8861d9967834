"""With no configuration at all: the built-in jobs, a directory, and GeoIP left out with a notice."""

import json
from pathlib import Path

from tests.support.command import hubdata
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo

pytestmark = needs_real


def test_sync_once_publishes_into_hub_data_and_says_so(tmp_path: Path) -> None:
    """In an empty directory the real tree is published into ./hub-data, and every default taken is told."""
    repo = Repo.of_tree(tmp_path / "sec-lists", SEC_LISTS)
    work = tmp_path / "work"
    work.mkdir()
    ended = hubdata("sync", "--once", "--checkout", repo.path, "--format", "json", cwd=work)
    assert ended.code == 0, ended.stdout + ended.stderr
    notices = " ".join(ended.json["notices"])
    assert "./hub-data" in notices or str(work / "hub-data") in notices
    assert "geoip is left out" in notices
    assert "MAXMIND_ACCOUNT_ID" in notices
    assert [job["job"] for job in ended.json["jobs"]] == ["allowlists", "appsec", "web-patterns"]
    manifest = json.loads((work / "hub-data" / "manifest.json").read_text())
    assert len(manifest["files"]) == 169
    assert ended.job("appsec")["source"]["revision"] == repo.head

    again = hubdata("sync", "--once", "--checkout", repo.path, "--format", "json", cwd=work)
    assert {job["outcome"] for job in again.json["jobs"]} == {"unchanged"}


def test_geoip_asked_for_by_name_is_not_left_out(tmp_path: Path) -> None:
    """Who names the job gets an error about the credentials, not silence."""
    ended = hubdata("geoip", "refresh", "--job", "geoip", cwd=tmp_path)
    assert ended.code == 2, ended.stdout + ended.stderr
    assert "MAXMIND_ACCOUNT_ID" in ended.stdout + ended.stderr
