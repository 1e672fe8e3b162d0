"""Integrations: adapters that present Twofold's encoders as other libraries expect them. They add no ability.

A package of floor 8; each library is imported inside the functions that use it.
"""
