"""The demo: a hub, a real CardDAV server and a shop, with people of its own making.

Read in this order: `people` (who there is, and where each is known), `shop` and `address_book` (two
apps, filled and read past Twofold), `story` (what is done, and what must be true afterwards).
"""
