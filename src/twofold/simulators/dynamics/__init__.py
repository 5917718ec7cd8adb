"""A Dynamics 365 environment to rehearse with: ``python -m twofold.simulators.dynamics``.

Facts are those of Microsoft's documentation of the Dataverse Web API and of OData 4.0, told again
by hand. `odata` and `multipart` are the grammars, `tables` what an environment has, `environment`
its records, `reading` and `api` the answers, `server` the addresses.
"""

from twofold.simulators.dynamics.environment import Environment
from twofold.simulators.dynamics.server import Realism, Server

__all__ = ["Environment", "Realism", "Server"]
