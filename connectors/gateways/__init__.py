"""The way from intents to venues. There is only the simulated one."""
