"""The order in which lanes are served."""

# OTHER is control and whatever else has no lane.
OTHER, FAST, WARM, COLD = range(4)
RANK = {"ticks.fast": FAST, "ticks.warm": WARM, "ticks.cold": COLD}
