"""One module per area; see `twofold.web.area`."""
