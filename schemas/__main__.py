"""`python -m schemas` adds changed contracts to the catalogue; `--check` only looks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from schemas import Contract, catalogue, fingerprint, load, names


def missing(known: list[Contract]) -> list[Contract]:
    """The versions that the catalogue lacks, with the ids that they will get."""
    newest = {contract.name: contract for contract in known}
    next_id = max((contract.id for contract in known), default=0) + 1
    found: list[Contract] = []
    for name in names():
        schema, old = load(name), newest.get(name)
        if old is None or old.fingerprint != fingerprint(schema):
            version = old.version + 1 if old else 1
            found.append(Contract(next_id + len(found), name, version, fingerprint(schema), schema))
    return found


def main() -> int:
    path = Path(__file__).with_name("catalogue.json")
    known = catalogue() if path.exists() else []
    new = missing(known)
    for contract in new:
        print(f"{contract.name} version {contract.version}: id {contract.id}")
    if "--check" in sys.argv[1:]:
        return 1 if new else 0
    lines = ",\n".join(json.dumps(contract._asdict()) for contract in [*known, *new])
    path.write_text(f"[\n{lines}\n]\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
