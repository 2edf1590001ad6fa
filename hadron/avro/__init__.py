"""Avro readers and writers of one contract each, built once by fastavro."""

from hadron.avro.reading import ReadMany, many_reader, name_reader, reader
from hadron.avro.shape import exact_fields
from hadron.avro.splitting import Splitter
from hadron.avro.versions import UNFIT, Versions
from hadron.avro.writing import WriteMany, many_writer

__all__ = [
    "UNFIT",
    "ReadMany",
    "Splitter",
    "Versions",
    "WriteMany",
    "exact_fields",
    "many_reader",
    "many_writer",
    "name_reader",
    "reader",
]
