"""Keys lie where Kafka's Java client would put them."""

from __future__ import annotations

from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from hadron.partitions import murmur2, partition_of


@given(st.binary(max_size=64))
def test_murmur2_equals_the_reference(data: bytes) -> None:
    assert murmur2(data) & 0x7FFFFFFF == reference(data) & 0x7FFFFFFF


def test_a_known_key_lies_in_its_known_partition() -> None:
    # Kafka's own test: UtilsTest.testMurmur2 has murmur2("foobar") = -790332482.
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF


def test_keys_spread_over_all_partitions() -> None:
    # given instruments whose rates follow Zipf's law
    weights = {f"eq:SYM{rank}": 1 / (rank + 50) for rank in range(5000)}

    # when they are dealt to 4 shards
    load = [0.0] * 4
    for key, weight in weights.items():
        load[partition_of(key, 4)] += weight

    # then no shard has a fifth more than the mean
    assert max(load) / (sum(load) / 4) <= 1.2
