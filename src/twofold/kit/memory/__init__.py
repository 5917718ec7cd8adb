"""An app in memory with its connector: the reference for the contract, and a stage for tests.

>>> app = MemoryApp([contact(), company()])
>>> connector = MemoryConnector.over(app)

People act through the app (``app.create``, ``app.edit`` …), the engine through the connector;
``app.fault`` scripts trouble, ``app.calls`` and ``app.writes`` say what arrived.
"""

from twofold.kit.memory.app import Habits, MemoryApp
from twofold.kit.memory.connector import APPS, MemoryConnector
from twofold.kit.memory.faults import (
    Call,
    Fail,
    Fault,
    Items,
    Meanwhile,
    Partly,
    Phase,
    Reorder,
    Script,
)
from twofold.kit.memory.shapes import company, contact, deal, leads_and_contacts

__all__ = [
    "APPS",
    "Call",
    "Fail",
    "Fault",
    "Habits",
    "Items",
    "Meanwhile",
    "MemoryApp",
    "MemoryConnector",
    "Partly",
    "Phase",
    "Reorder",
    "Script",
    "company",
    "contact",
    "deal",
    "leads_and_contacts",
]
