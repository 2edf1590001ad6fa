"""Kafka itself lets a shadow read what live's engine reads, write shadow.*, and nothing else."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvloop
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from connectors.kafka.looping import KafkaLoopLog
from connectors.local import daemon, kafka
from connectors.local.stack import Endpoints
from hadron import topics
from hadron.errors import TransientError
from hadron.settings import settings_from
from tests.integration.platform import Platform, until
from tests.integration.replaying import control_of, generated, reparametrised
from tests.support import some_rules

SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
EVENTS = 3000
USER, PASSWORD = "shadow", "not-a-secret-of-anybody"

# Behind the listener of live, who may do everything here, one where users show who they are.
SECURED = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class Secured(Platform):
    """A platform whose broker asks users for their names, and gives them what they are allowed."""

    def __init__(self, directory: Path, address: str, sasl: int) -> None:
        super().__init__(directory, Endpoints(kafka=address, database="", redis=""), {})
        self.as_shadow = {
            "bootstrap.servers": f"127.0.0.1:{sasl}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": USER,
            "sasl.password": PASSWORD,
        }
        self.environment_of_shadow = {
            **self.environment,
            "HADRON_KAFKA": f"127.0.0.1:{sasl}",
            "HADRON_KAFKA_SECURITY": "SASL_PLAINTEXT",
            "HADRON_KAFKA_USERNAME": USER,
            "HADRON_KAFKA_PASSWORD": PASSWORD,
        }

    def shadow(self) -> subprocess.CompletedProcess[str]:
        """`hadron shadow`, as that user."""
        words = ("shadow", "sma", "--from", "beginning", "--until", "end", "--json")
        return self._hadron(words, self.environment_of_shadow)

    def rights(self) -> list[dict[str, Any]]:
        """What `hadron topics acls` says that it needs."""
        told = self._hadron(("topics", "acls", f"User:{USER}", "--json"), self.environment)
        found: list[dict[str, Any]] = json.loads(told.stdout)["rights"]
        return found

    def _hadron(
        self, words: tuple[str, ...], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hadron", *words],
            env=environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def alone() -> Iterator[Secured]:
    """A live run on a broker with an authorizer."""
    directory = Path(tempfile.mkdtemp(prefix="hadron-rights-"))
    [sasl] = daemon.free_ports(1, preferred=[])
    plain = kafka.CONFIGURATION
    also = f"SASL_PLAINTEXT://127.0.0.1:{sasl}"
    secured = (
        plain.replace(
            "listeners=PLAINTEXT://127.0.0.1:{port},",
            f"listeners={also},PLAINTEXT://127.0.0.1:{{port}},",
        )
        .replace("advertised.listeners=", f"advertised.listeners={also},")
        .replace("PLAINTEXT:PLAINTEXT\n", "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT\n")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka, "CONFIGURATION", secured + SECURED)
        address = kafka.start(directory / "kafka", progress=lambda _: None)
    made = Secured(directory, address, sasl)
    try:
        made.prepare()
        _add_user(made)
        _live_run(made)
        yield made
    finally:
        made.close()
        kafka.stop(directory / "kafka", progress=lambda _: None)
        shutil.rmtree(directory)


def test_without_rights_it_sees_nothing(alone: Secured) -> None:
    done = alone.shadow()

    # Of what it may not read, Kafka tells nobody where it lies.
    assert done.returncode == 5
    assert "asking for offsets of [('control', 0)]: _NOENT" in done.stderr


def test_with_the_rights_that_are_listed_it_works_and_agrees(alone: Secured) -> None:
    alone.admin.create_acls([_binding(right) for right in alone.rights()])

    until(lambda: alone.shadow().returncode == 0, "the broker knows of the rights", 60)

    report = json.loads(alone.shadow().stdout)
    assert report["agree"] is True
    assert report["decisions"]["equal"] > 5
    assert alone.facts("shadow.decisions")


def test_it_may_write_to_no_topic_of_live(alone: Secured) -> None:
    names = [topic.name for topic in topics.ALL if not topic.name.startswith("shadow.")]

    assert {name: _refusal(alone, name) for name in names} == dict.fromkeys(
        names, KafkaError.TOPIC_AUTHORIZATION_FAILED
    )


def test_it_may_not_see_what_becomes_of_decisions(alone: Secured) -> None:
    with closing(Consumer({**alone.as_shadow, "group.id": "shadow.x"})) as reader:
        for topic in ("intents", "orders"):
            found = reader.list_topics(topic, timeout=20).topics[topic]
            assert found.error is not None
            assert found.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_it_may_not_join_a_group_of_lives(alone: Secured) -> None:
    with closing(Consumer({**alone.as_shadow, "group.id": "hadron.engine"})) as reader:
        reader.subscribe(["ticks.warm"])
        message = reader.poll(30)

        assert message is not None
        assert message.error() is not None
        assert message.error().code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_the_client_of_feed_and_streams_is_held_to_the_same(alone: Secured) -> None:
    settings = settings_from(alone.environment_of_shadow)

    async def run() -> None:
        log = KafkaLoopLog(settings)
        try:
            log.append("shadow.decisions", 0, [(None, b"x")])
            await log.drain()
            log.append("orders", 0, [(None, b"x")])
            with pytest.raises(TransientError, match="orders/0 was refused: TopicAuth") as caught:
                await log.drain()
        finally:
            await log.close()
        assert PASSWORD not in str(caught.value)

    uvloop.run(run())


def _refusal(alone: Secured, topic: str) -> int | None:
    """The error that Kafka answers a record of the shadow's user with."""
    found: list[Any] = []
    producer = Producer({**alone.as_shadow, "message.timeout.ms": 10_000})
    producer.produce(topic, b"x", partition=0, on_delivery=lambda error, _: found.append(error))
    producer.flush(20)
    return found[0].code() if found[0] is not None else None


def _binding(right: dict[str, Any]) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right["prefixed"] else ResourcePatternType.LITERAL
    return AclBinding(
        ResourceType[right["resource"]],
        right["name"],
        pattern,
        f"User:{USER}",
        "*",
        AclOperation[right["operation"]],
        AclPermissionType.ALLOW,
    )


def _add_user(alone: Secured) -> None:
    credentials = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    added = UserScramCredentialUpsertion(USER, credentials, PASSWORD.encode())
    for future in alone.admin.alter_user_scram_credentials([added]).values():
        future.result(30)


def _live_run(alone: Secured) -> None:
    control_of(alone).append(some_rules())
    reparametrised(alone, "sma", {"quantity": "7", "threshold_bps": "1"})
    for partition, _, key, value in generated(SYMBOLS, EVENTS, random.Random(5)):
        alone.log.append("raw.massive", partition, [(key, value)])
    alone.log.flush()
    for process in ("normalize", "engine"):
        alone.start(process)
    alone.wait_until_taken("normalize", "engine")
    alone.stop_all()
