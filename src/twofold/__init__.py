"""Twofold keeps the customer records of your apps in step with a hub."""

__version__ = "0.1.0"
