"""Kafka, PostgreSQL and Valkey from wheels, as daemons of this machine."""
