"""From Kafka into the tables: batches, each with its offsets in one transaction."""
