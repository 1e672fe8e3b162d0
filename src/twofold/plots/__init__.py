"""Plots: figures → pictures, as SVG, PNG or a page of HTML; what a picture shows comes in as plain numbers.

A room of floor 2. matplotlib is a guest of `canvas.py` and belongs to the extra [plots]; `frontier.py` and
`differences.py` draw.
"""
