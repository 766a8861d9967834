"""`hubdata serve DIR`: a published directory over HTTP, to IPv6 and IPv4 alike."""

from pathlib import Path

import click

from hubdata.cli.common import log_format_flag, remark, set_up, started
from hubdata.cli.errors import say
from hubdata.errors import ConfigError, Exit


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="ADDRESS",
    help="Listen on this address or name.  [repeatable; default: all addresses, IPv6 and IPv4]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    metavar="N",
    help="Listen on this port; 0 takes one that is free.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    metavar="N",
    help="Serve so many at once; others are told to come back later (503).",
)
@click.option("-v", "--verbose", count=True, help="Log each request to stderr, a line for each.")
@click.option("-q", "--quiet", is_flag=True, help="Print no URLs, and only errors.")
@log_format_flag
def serve(
    directory: Path,
    *,
    hosts: tuple[str, ...],
    port: int,
    max_connections: int,
    verbose: int,
    quiet: bool,
    log_format: str,
) -> Exit:
    """Serve a published directory over HTTP until SIGTERM.

    DIR is what a target of type `directory` writes. Its files are served with ETag, Last-Modified and ranges, and with
    the headers that the manifest gives them; `.hubdata/` and other names with a dot in front are not, and nothing is
    before a manifest is there. Prints the URLs it answers under, one a line.
    """
    set_up(-1 if quiet else verbose, log_format)
    from hubdata.report.log import LogReporter

    try:
        from hubdata.serving.app import PublicCopy
        from hubdata.serving.connections import Limits
        from hubdata.serving.server import serve as run
    except ImportError as err:
        if err.name is None or err.name.startswith("hubdata"):
            raise
        raise ConfigError(
            f"serving needs a web server: the package {err.name.partition('.')[0]} is not installed",
            advice="install it: pip install 'hubdata[worker]'",
        ) from err
    from hubdata.serving.listening import listen, url_of
    from hubdata.serving.published import Published, is_directory

    if not is_directory(directory):
        raise ConfigError(
            f"{directory}: expected a directory that may be read",
            advice="name the directory that a target of type `directory` publishes to, and create it if need be",
        )
    reporter = LogReporter()
    published = Published(directory, reporter)
    app = PublicCopy(published, reporter, reporter if verbose and not quiet else None)
    listeners = listen(hosts, port)
    started()

    def ready() -> None:
        if quiet:
            return
        say("".join(f"{url_of(listener)}\n" for listener in listeners))
        if not hosts and len(listeners) == 1:
            remark("this machine has one address family only: the other is not served")
        if not published.anything:
            remark(f"{directory}: nothing is served until there is a manifest.json")

    run(app, listeners, Limits(connections=max_connections), ready)
    return Exit.FINE
