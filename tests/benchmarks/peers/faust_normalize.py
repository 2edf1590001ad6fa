"""Stock Faust normalizing on Kafka, until it is stopped. Imports nothing of ours.

Run: python faust_normalize.py BROKER CONTRACTS FROM TO
"""

import sys

import faust
from normalizing import normalizer

broker, contracts, begin, end = sys.argv[1:]
normalize = normalizer(contracts, bytes(5))
app = faust.App(
    "stock",
    broker=f"kafka://{broker}",
    topic_disable_leader=True,
    topic_allow_declare=False,
    web_enabled=False,
    producer_compression_type="lz4",
    producer_linger=0.005,
    consumer_auto_offset_reset="earliest",
)
raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
source, target = app.topic(begin, **raw), app.topic(end, **raw)


@app.agent(source)
async def normalizing(stream):  # type: ignore[no-untyped-def]
    async for value in stream:
        instrument, tick = normalize(value)
        await target.send(key=instrument.encode(), value=tick)


faust.Worker(app, loglevel="ERROR").execute_from_commandline()
