"""TF-A: access and connections."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code(
        "TF-A01",
        "{app} refused the sign-in: {reason}.",
        "Connect again with the right user and password; mappings and links are kept.",
    ),
    Code(
        "TF-A02",
        "{app} redirects to another host, {host}.",
        "Connect with that address yourself if you trust it; credentials are never sent along.",
    ),
    Code(
        "TF-A03",
        "{app} does not allow this account to {action}.",
        "Ask the app's administrator for the permission, then connect again.",
    ),
    Code(
        "TF-A04",
        "This account of {app} is connected already, as {label}.",
        "Use that connection, or sign in to another account.",
    ),
    Code(
        "TF-A05",
        "There is a connection named {label} already.",
        "Choose another name.",
    ),
    Code(
        "TF-A06",
        "There is a sync named {name} already.",
        "Choose another name, or delete that sync first.",
    ),
    Code(
        "TF-A09",
        "{app} has no address book {name}; it has: {known}.",
        "Connect again with one of these names, or without a name to take the first.",
    ),
    Code(
        "TF-A10",
        "There is no connector named {name}; there are: {known}.",
        "Choose one of these, or install the package that brings it.",
    ),
    Code(
        "TF-A11",
        "The connector {name} of the package {package} cannot be used: {reason}.",
        "Update or remove that package, or report this to its authors.",
    ),
    Code(
        "TF-A12",
        "The connector {name} cannot be checked: {reason}.",
        "Its tests stand beside its code in conformance.py, and need pytest and pytest-asyncio.",
    ),
    Code(
        "TF-A13",
        "The connector {name} does not keep all its promises: {count} problem(s).",
        "Solve what is listed, and check it again.",
    ),
    Code(
        "TF-A14",
        "No connector {name} can be made here: {reason}.",
        "Give another name, or another folder with --in.",
    ),
    Code(
        "TF-A30",
        "This is not the address of a database: {reason}.",
        "Use sqlite:///path/to/file, postgresql://user:password@host/database, or mariadb://….",
    ),
    Code(
        "TF-A31",
        "The answer to '{question}' does not fit: {reason}.",
        "Correct that answer and connect again.",
    ),
    Code(
        "TF-A40",
        "{app} is at {host}, which leads to {address}: an address within the own network, and those"
        " are not reached unless they are allowed.",
        "If the app really is there, an administrator allows it with 'twofold network allow' and"
        " that address.",
    ),
    Code(
        "TF-A41",
        "{text} is no address and no block of addresses.",
        "Write it as 192.168.1.20, or as 192.168.1.0/24 for a whole network.",
    ),
    Code(
        "TF-A42",
        "{text} is not among what is allowed: {known}.",
        "Name it as 'twofold network list' shows it; TWOFOLD_ALLOW_ADDRESSES is set outside.",
    ),
    Code(
        "TF-A50",
        "This sign-in is unknown, or it has taken longer than ten minutes.",
        "Begin it again where you connect the app.",
    ),
)
