"""What any broker adapter has to get right before money goes through it: one suite for all.

Each row of `rows.ROWS` is a situation and what has to be true of it, told through `ports.Broker`
alone. `rigs` bring the situation about, for each broker at a venue that can be made to misbehave;
where a broker cannot get into a situation its rig says why. The table of docs/brokers.md is held
to this by a test. `python -m tests.certification alpaca` certifies a real paper account, as far as
a venue that behaves can be used for that.
"""
