"""The instruments themselves: that neither the store nor the proxy before it is what a tool waits for.

32 connections send requests one after the other, as fast as they are answered: to the store, through the proxy without
a delay, and through the proxy as it is used. With a delay of 40 ms, 32 connections could at best send 800 a second. A
listing of 100,000 keys is read from the store, page by page, and 5,000 from the mock server that the tests use.
"""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.many import generate
from bench.peers import CREDENTIALS
from bench.results import CONNECT_MS, REQUEST_MS, Part, Table
from bench.slow import Slow
from bench.store import Store

CONNECTIONS = 32
BODY = b"203.0.113.0/24\n" * 1_000
TITLE = "The instruments"
HEAD = ("what", "requests", "seconds", "a second", "at best", "CPU ms a request: store", "proxy")
PAGES_TITLE = "Listing many keys, 1,000 a page"
PAGES_NOTE = "With botocore, whose own reading of a page is most of the store's figure."
PAGES_HEAD = ("server", "keys", "pages", "ms a page")


def measure(runs: int, quick: bool) -> Part:
    """Return what the instruments can do."""
    del runs
    each = 25 if quick else 100
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    with TemporaryDirectory() as work, Store() as store:
        store.empty("load")
        rows.append(_loaded("store alone", store, None, each)[0])
        with Slow(store.url) as slow:
            rows.append(_loaded("proxy without a delay", store, slow, each)[0])
        with Slow(store.url, REQUEST_MS, CONNECT_MS) as slow:
            row, share = _loaded("proxy, 40 ms a request, 80 ms a connection", store, slow, each)
            rows.append(row)
            figures["share_of_best"] = share
        directory = Path(work) / "many"
        generate(directory, 10_000 if quick else 100_000)
        store.empty("many")
        store.fill("many", directory)
        pages = [("store of this measurement", *_pages(store.url, "many"))]
        pages.append(("moto, the mock server of the tests", *_moto(2_000 if quick else 5_000)))
    note = "`at best` is what the delays alone would let through. A put of 15,000 bytes each."
    return Part(
        "instruments",
        tables=(
            Table(TITLE, HEAD, tuple(rows), note),
            Table(PAGES_TITLE, PAGES_HEAD, tuple(pages), PAGES_NOTE),
        ),
        figures=figures,
    )


def _loaded(name: str, store: Store, slow: Slow | None, each: int) -> tuple[tuple[str, ...], float]:
    """Return a row, and which share of the best possible rate was reached."""
    url = slow.url if slow else store.url
    before = store.cpu_s(), slow.counts()["cpu_s"] if slow else 0.0
    started = time.monotonic()
    asyncio.run(_load(url, each))
    seconds = time.monotonic() - started
    count = CONNECTIONS * each
    spent = store.cpu_s() - before[0], (slow.counts()["cpu_s"] if slow else 0.0) - before[1]
    delayed = "40 ms" in name
    best = (CONNECT_MS + each * REQUEST_MS) / 1000 if delayed else 0.0
    cpu = tuple(f"{1000 * one / count:.2f}" for one in spent)
    rates = f"{count / seconds:,.0f}", f"{count / best:,.0f}" if delayed else ""
    return (name, f"{count:,}", f"{seconds:.2f}", *rates, *cpu), best / seconds


async def _load(url: str, each: int) -> None:
    host, port = url.removeprefix("http://").split(":")
    await asyncio.gather(*(_connection(host, int(port), number, each) for number in range(CONNECTIONS)))


async def _connection(host: str, port: int, number: int, each: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for turn in range(each):
        head = f"PUT /load/{number}/{turn} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        writer.write(head.encode() + BODY)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"answered {answer!r}")
    writer.close()


def _pages(url: str, bucket: str) -> tuple[str, str, str]:
    """Return how many keys and pages a bucket has, and what one page takes."""
    return _paged(_client(url), bucket)


def _moto(count: int) -> tuple[str, str, str]:
    from tests.support.moto_server import MotoServer

    with MotoServer() as server:
        bucket, client = server.bucket(), server.client("s3")
        for number in range(count):
            client.put_object(Bucket=bucket, Key=f"lists/{number:06}.txt", Body=b"")
        return _paged(client, bucket)


def _paged(client: Any, bucket: str) -> tuple[str, str, str]:
    started, keys, pages = time.monotonic(), 0, 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys += len(page.get("Contents", ()))
        pages += 1
    return f"{keys:,}", f"{pages}", f"{1000 * (time.monotonic() - started) / pages:.1f}"


def _client(url: str) -> Any:
    import botocore.session

    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
