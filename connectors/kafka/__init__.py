"""Apache Kafka: the log itself, its administration and the way to it."""
