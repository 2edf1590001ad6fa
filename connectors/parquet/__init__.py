"""The log in Parquet files: the store of many years, from which a cluster is restored."""
