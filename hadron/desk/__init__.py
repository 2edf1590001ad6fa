"""The desk: decisions become intents here, after the risk verdict, and nowhere else."""
