"""`driftline ui`: the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.consumer import config as configuration
from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import BootstrapServers, ConfigFile
from driftline.consumer.cli.page_options import (
    Host,
    NoToken,
    PagePort,
    TokenFile,
    read_access,
    require_page,
)

if TYPE_CHECKING:  # what reads it is large
    from driftline.consumer.config import UiConfig


def ui(
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    host: Host = None,
    port: PagePort = None,
    token_file: TokenFile = None,
    no_token: NoToken = False,
    windows: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Of each stream, held at most.  [default: 200]"),
    ] = None,
    worker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A worker's http://HOST:9108, for the view of the pipeline; a name stands for all"
            " its addresses.",
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open it in a browser of this machine.")
    ] = False,
) -> None:
    """Serve the page: what drifts, since when, how sure.

    A process of its own beside the workers, outside their group: it reads what they publish, and
    any number of it may run. It ends by SIGTERM or Ctrl-C.
    """
    deployment = load_config.find_deployment(config, bootstrap_servers)
    section = configuration.UiConfig() if deployment.config is None else deployment.config.ui
    given = {"host": host, "port": port, "windows": windows, "workers": worker}
    chosen = _changed(section, {key: value for key, value in given.items() if value is not None})
    access = read_access(chosen.host, token_file, no_token=no_token, url=chosen.url)
    require_page()
    from driftline.consumer.cli import page

    page.serve(deployment, chosen, access, open_browser=open_browser)


def _changed(section: UiConfig, given: dict[str, Any]) -> UiConfig:
    """Return the section with what the options say.

    Raises:
        CommandError: an option is not as its key must be.
    """
    try:
        return section.changed(given)
    except ValueError as error:
        key, why = error.args
        raise CommandError(f"--{'worker' if key == 'workers' else key}: {why}") from None
