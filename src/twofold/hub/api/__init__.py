"""The hub inside as HubSpot's CRM API shows it, for tools and clients that speak that API.

Paths, shapes and limits are facts about HubSpot's public API, told again by hand; the shapes are
those of its Apache-2.0 client for Python. Reading order: versions → faults → tokens → wire →
objects → batch → search → schemas → ties → realism → application.
"""
