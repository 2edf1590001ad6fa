"""Avro readers and writers of one contract each, built once by fastavro."""

from hadron.avro.reading import ReadMany, many_reader, reader
from hadron.avro.shape import exact_fields
from hadron.avro.splitting import Splitter
from hadron.avro.writing import longs_of_many, writer

__all__ = [
    "ReadMany",
    "Splitter",
    "exact_fields",
    "longs_of_many",
    "many_reader",
    "reader",
    "writer",
]
