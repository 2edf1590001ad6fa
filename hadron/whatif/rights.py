"""What a shadow may do on Kafka: read what live's engine reads and says, write shadow.*."""

from __future__ import annotations

from typing import Literal

import msgspec

from hadron.flow import FLOW
from hadron.topics import DECISIONS, JOURNAL, LIVE, SHADOW, STATE

Operation = Literal["READ", "WRITE"]
Resource = Literal["TOPIC", "GROUP"]


class Right(msgspec.Struct, frozen=True):
    """One thing that is allowed. Either operation lets describe, too."""

    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False  # whatever begins with the name

    @property
    def arguments(self) -> str:
        """As kafka-acls.sh takes it."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        resource = f"--{self.resource.lower()} {self.name}"
        return f"--operation {self.operation.capitalize()} {resource}{pattern}"


def shadow_rights() -> list[Right]:
    """All that a shadow needs. What is not here, Kafka's authorizer refuses."""
    engine = "engine"
    read = (*FLOW[engine].sources, JOURNAL[engine].name, STATE[engine].name, DECISIONS.name)
    return [
        *(Right("READ", "TOPIC", LIVE.read(topic)) for topic in read),
        Right("WRITE", "TOPIC", SHADOW, prefixed=True),
        Right("READ", "GROUP", SHADOW, prefixed=True),
    ]
