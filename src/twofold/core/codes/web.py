"""TF-W: the service over the web: who may do what, and requests that cannot be understood."""

from __future__ import annotations

from twofold.core.codes.entry import Code

CODES = (
    Code("TF-W01", "This needs a sign-in.", "Sign in, or send a token that is valid."),
    Code(
        "TF-W02",
        "This needs the role {needed}, and {who} is {role}.",
        "Ask an administrator, or use a token of a higher role.",
    ),
    Code(
        "TF-W03",
        "Too many sign-ins failed; the next one counts in {seconds} seconds.",
        "Wait that long, then try again with the right password.",
        retryable=True,
    ),
    Code(
        "TF-W04",
        "The name or the password is wrong.",
        "Check both; an administrator can give you a link to choose a new password.",
    ),
    Code(
        "TF-W05",
        "This link was used already, has expired, or never was one.",
        "Ask an administrator for a new one; 'twofold user invite' on the server makes one too.",
    ),
    Code("TF-W06", "The request cannot be understood: {reason}.", "Correct it; nothing was done."),
    Code("TF-W07", "There is nothing at {path}.", "See /api/v1/openapi.json for what there is."),
    Code(
        "TF-W08",
        "This server does not go by the name {host}.",
        "Use the address that it printed when it started, or name this one with --allow-host.",
    ),
    Code(
        "TF-W09",
        "The request holds more than {limit} bytes.",
        "Send less at a time.",
    ),
    Code(
        "TF-W10",
        "The password needs at least {least} characters, and at most {most}.",
        "Choose another one.",
    ),
    Code("TF-W11", "There is a user named {name} already.", "Choose another name."),
    Code(
        "TF-W12",
        "The idempotency key was used for another request.",
        "Use a new key for each request, and the same one only to repeat it.",
    ),
    Code(
        "TF-W13",
        "The request with this idempotency key is still being worked on.",
        "Wait a moment, then repeat it with the same key.",
        retryable=True,
    ),
    Code(
        "TF-W14",
        "The request comes from a page of another site.",
        "Open Twofold's own pages; programs use a token.",
    ),
    Code("TF-W15", "There is no {kind} named {name}.", "Look at the list of them."),
    Code(
        "TF-W16",
        "{name} is the only administrator who can sign in.",
        "Make somebody else an administrator first.",
    ),
    Code(
        "TF-W17",
        "{path} does not take the method {method}.",
        "See /api/v1/openapi.json for what it takes.",
    ),
    Code(
        "TF-W18",
        "Something went wrong that Twofold did not expect: {kind}.",
        "Try again; if it repeats, report it with the lines of the log.",
    ),
    Code(
        "TF-W19",
        "There is no scope {scope}; there are {known}.",
        "Name one of these, or none to allow everything.",
    ),
    Code("TF-W20", "There is a token named {name} already.", "Choose another name, or revoke it."),
    Code(
        "TF-W40",
        "There is no page at {path}.",
        "Check the address, or start from one of the entries at the top.",
    ),
    Code(
        "TF-W41",
        "The form is older than your sign-in; nothing was changed.",
        "Go back, load the page again, and send it once more.",
    ),
    Code(
        "TF-W42",
        "The file {name} of the package {package} is not there.",
        "Install Twofold again with the packages that its lock names.",
    ),
    Code(
        "TF-W50",
        "This set-up was saved or discarded, or nobody has touched it for a month.",
        "Begin it again on the page of the app.",
    ),
    Code(
        "TF-W30",
        "This call is not believed to come from the app: {reason}.",
        "Check the secret on both sides, the clocks, and the address that the app calls.",
    ),
    Code(
        "TF-W31",
        "{label} takes no webhooks: {app} has none.",
        "Nothing to do: its changes are found by polls.",
    ),
    Code(
        "TF-W43",
        "There is data here already: sample data is for an installation that is empty.",
        "Connect an app of your own, or begin with another data folder.",
    ),
    Code(
        "TF-W44",
        "The sample data is not here any more.",
        "Look at the connected apps.",
    ),
)
