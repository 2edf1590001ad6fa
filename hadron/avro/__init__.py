"""Avro readers and writers of one contract each, built once by fastavro."""

from hadron.avro.reading import ReadMany, many_reader, name_reader, reader
from hadron.avro.shape import exact_fields
from hadron.avro.splitting import Splitter
from hadron.avro.versions import UNFIT, Versions
from hadron.avro.writing import longs_of_many

__all__ = [
    "UNFIT",
    "ReadMany",
    "Splitter",
    "Versions",
    "exact_fields",
    "longs_of_many",
    "many_reader",
    "name_reader",
    "reader",
]
