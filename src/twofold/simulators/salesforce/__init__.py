"""A Salesforce org to rehearse with: ``python -m twofold.simulators.salesforce --port 8090``.

Facts are those of Salesforce's REST API Developer Guide and of the SOQL and SOSL Reference, told
again by hand. `soql` is the grammar, `objects` what an org has, `org` its records, `server` the
addresses.
"""

from twofold.simulators.salesforce.org import Org
from twofold.simulators.salesforce.server import Server

__all__ = ["Org", "Server"]
