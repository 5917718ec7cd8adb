"""The hub inside: a small CRM in a database of our own, and its connector.

Reading order: schema → tables → properties → links → writing → crm → projection → connector.
"""
