"""Plots: figures → pictures, as SVG, PNG or a page of HTML. What is drawn comes in as plain numbers.

A package of floor 2. `canvas.py` uses matplotlib, which the extra [plots] installs; `frontier.py`, `differences.py`,
`depths.py` and `training.py` draw.
"""
