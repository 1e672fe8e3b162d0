"""Integrations: Twofold's encoders in the clothes of other libraries; translation only, no ability is added.

A room of floor 8; each library is imported inside the functions that speak to it.
"""
