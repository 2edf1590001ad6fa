"""`hadron keys`: the key that signs the heads of the chains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import settings_of
from hadron.errors import SettingsError
from hadron.variables import variable

app = typer.Typer(help="The key that signs what is stored.", no_args_is_help=True)


@app.command()
def create(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(help="Where to write it; else HADRON_ANCHOR_KEY_FILE.", show_default=False),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Where there is a key, show it and end with 0.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Make a key that only its owner can read, and its public key beside it in FILE.pub.

    A key that is there is not written over.
    """
    from connectors import signing
    from hadron.audit.anchors import key_id

    path = (file or _set(context.obj.get(variable("anchor_key_file")))).expanduser()
    made = signing.load(path) if keep and path.exists() else signing.create(path)
    _show(path, key_id(made.public), json)


@app.command()
def rotate(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Change the key: the old one signs that the new one follows, on topic and file.

    The archive signs with the new key after its next start.
    """
    from connectors import anchors, signing
    from hadron.audit.anchors import key_id
    from hadron.wiring import codec_of

    settings = settings_of(context, directory)
    path = _set(settings.anchor_key_file).expanduser()
    old = signing.load(path)
    new = signing.prepare(path)
    anchors.write(
        anchors.made((), old, introduces=new.public),
        settings=settings,
        log=opening.fact_log(settings),
        codec=codec_of(settings),
    )
    signing.adopt(path)
    _show(path, key_id(new.public), json)


def _set(path: str | None) -> Path:
    if not path:
        name = variable("anchor_key_file")
        raise SettingsError([f"{name}: is not set; set it to the key's file"])
    return Path(path)


def _show(path: Path, key: str, as_json: bool) -> None:
    from connectors.signing import public_file

    document = {"key": key, "private": str(path), "public": str(public_file(path))}
    output.show(document, output.table("", ("", ""), document.items()), as_json=as_json)
