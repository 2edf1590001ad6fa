"""`hadron prove` and `hadron verify-proof`: for somebody who has nothing of ours but a key."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.environment import audit_url, settings_of
from hadron.cli.exits import Exit
from hadron.errors import ContractError, HadronError


def prove(
    context: typer.Context,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="<id>", help="Id of an order, or topic/partition/offset, as decisions/0/17."
        ),
    ],
    to: Annotated[Path, typer.Option(help="File of the proof.")] = Path("proof.json"),
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Write a proof that an order or decision was stored, with what led to it.

    It has the records, their hashes up to a signed head, and nothing of other records.
    """
    from connectors.signing import verify
    from connectors.timescale.verifying.proving import Prover
    from hadron.audit.anchors import is_signed
    from hadron.audit.proofs import Proof
    from hadron.cli.verify.anchored import Anchored, every
    from hadron.wiring import codec_of

    settings = settings_of(context, directory)
    signed = [one for one in every(settings, Anchored()) if is_signed(one, verify)]
    prover = Prover(audit_url(settings), codec_of(settings), signed)
    places = prover.places(asked, settings.prefix)
    proof = Proof(
        asked,
        [prover.prove(place) for place in places],
        [one for one in signed if one.introduces is not None],
    )
    try:
        to.write_bytes(msgspec.json.format(msgspec.json.encode(proof), indent=1) + b"\n")
    except OSError as error:
        raise HadronError(f"cannot write {to}: {error.strerror}") from error
    named = ["/".join(map(str, place)) for place in places]
    document = {"file": str(to), "records": named}
    output.show(
        document, output.table(str(to), ("proves",), [(one,) for one in named]), as_json=json
    )


def verify_proof(
    file: Annotated[Path, typer.Argument(help="A proof, as `hadron prove` writes it.")],
    public_key: Annotated[Path, typer.Option(help="Public key to trust, in PEM.")],
    json: options.Json = False,
) -> None:
    """Check a proof, and show what it proves. Ends with 3 if it proves nothing.

    Neither Kafka nor a database nor a setting is needed.
    """
    from connectors import signing
    from hadron.audit.proofs import Proof, check

    trusted = signing.public_keys(public_key)
    try:
        proof = msgspec.json.decode(file.read_bytes(), type=Proof)
        proven = check(proof, trusted, signing.verify)
    except OSError as error:
        raise HadronError(f"cannot read {file}: {error.strerror}") from error
    except (ContractError, msgspec.DecodeError) as error:
        output.show({"holds": False, "reason": str(error)}, f"It fails: {error}", as_json=json)
        raise typer.Exit(Exit.CHECK_FAILED) from None
    rows = [
        {
            "place": f"{one.topic}/{one.partition}/{one.offset}",
            "signed": datetime.fromtimestamp(one.at_ns // 1_000_000_000, UTC).isoformat(),
            "key": one.key,
            "fact": _decoded(one.schema, one.body),
        }
        for one in proven
    ]
    table = output.table("It holds", list(rows[0]), [list(row.values()) for row in rows])
    output.show({"holds": True, "records": rows}, table, as_json=json)


def _decoded(schema: str, body: bytes) -> Any:
    """The record as anybody can read it who has its schema."""
    from fastavro import parse_schema, schemaless_reader

    fact: Any = schemaless_reader(BytesIO(body), parse_schema(msgspec.json.decode(schema)), None)
    return msgspec.to_builtins(fact)
