"""Quix Streams normalizing on Kafka, until it is stopped. Imports nothing of ours.

Run: python quix_normalize.py BROKER CONTRACTS FROM TO
"""

import sys

from normalizing import normalizer
from quixstreams import Application

broker, contracts, begin, end = sys.argv[1:]
normalize = normalizer(contracts, bytes(5))
app = Application(
    broker_address=broker,
    consumer_group="quix",
    auto_offset_reset="earliest",
    producer_extra_config={"compression.type": "lz4", "linger.ms": 5},
    loglevel="ERROR",
)
source = app.topic(begin, key_deserializer="bytes", value_deserializer="bytes")
target = app.topic(end, key_serializer="bytes", value_serializer="bytes")
app.dataframe(source).apply(lambda value: normalize(value)[1]).to_topic(target)
app.run()
