# SPDX-License-Identifier: Apache-2.0
"""When a candidate is taken for an image that boots."""

import dataclasses
import hashlib
import re

from nova_newos.build import exception

#: What a test may be besides a regular expression.
NONE, CONSOLE = 'none', 'console'

#: What every system with a console on the serial port ends its boot with.
LOGIN = r'\blogin:'

_PORT = re.compile(r'port:([1-9][0-9]{0,4})')
_LAST_PORT = 65535

# cloud-init's own marks. Keys of users, which are the same everywhere, are
# never between these.
_HOST_KEYS = re.compile(
    '-----BEGIN SSH HOST KEY FINGERPRINTS-----'
    '(.*?)'
    '-----END SSH HOST KEY FINGERPRINTS-----',
    re.DOTALL,
)
_FINGERPRINT = re.compile(r'\bSHA256:[A-Za-z0-9+/]{43}')
_MACHINE_ID = re.compile(
    r'\bmachine[ _-]id\b\W{1,3}([0-9a-f]{32})\b', re.IGNORECASE
)

# Of digests of identities, and how many of them metadata have room for.
_DIGITS, _MOST = 12, 19


@dataclasses.dataclass(frozen=True)
class BootTest:
    """One of the two, or none: nothing is tested.

    :ivar pattern: a compiled regular expression over a line of the console
    :ivar port: TCP port that is to take a connection
    """

    pattern: re.Pattern | None = None
    port: int | None = None

    def passed(self, server, guests):
        """Whether a server of the candidate has come up.

        :param guests: a :class:`~nova_newos.build.facts.Guests`
        """
        if self.port is not None:
            return guests.answers(server, self.port)
        lines = guests.console(server).splitlines()
        return any(self.pattern.search(line) for line in lines)

    def __str__(self):
        """What is waited for, in words."""
        if self.port is not None:
            return f'its TCP port {self.port} is to answer this client'
        return f'its console is to show {self.pattern.pattern!r}'


def parse(text):
    """Of an option, or of the plan in the cloud.

    :param text: 'none', 'console', 'port:N', or a regular expression
    :returns: a :class:`BootTest`, None for none
    :raises BootTestInvalid: when it is neither
    """
    if text == NONE:
        return None
    if text.startswith('port:'):
        match = _PORT.fullmatch(text)
        if match is None or int(match[1]) > _LAST_PORT:
            raise exception.BootTestInvalid(
                pattern=text, reason='a port is 1 to 65535'
            )
        return BootTest(port=int(match[1]))
    pattern = LOGIN if text == CONSOLE else text
    try:
        return BootTest(pattern=re.compile(pattern))
    except re.error as error:
        raise exception.BootTestInvalid(
            pattern=pattern, reason=error
        ) from error


def is_sealed(image):
    """Whether a sealer says that it has removed what identifies one host."""
    return any(name.startswith('seal_') for name in image.properties or {})


def is_settled(console):
    """Whether cloud-init has said all, if it says anything."""
    return 'Cloud-init v' not in console or bool(
        re.search(r'Cloud-init v.* finished at', console)
    )


def identities(console):
    """What a boot has shown that no other machine may have.

    SSH host keys as cloud-init prints them, and machine ids that are called
    so; nothing else, however much it looks like one.

    :param console: text; hostile
    :returns: set of digests
    """
    found = {
        fingerprint
        for block in _HOST_KEYS.findall(console)
        for fingerprint in _FINGERPRINT.findall(block)
    }
    found |= {match.lower() for match in _MACHINE_ID.findall(console)}
    return {
        hashlib.sha256(each.encode()).hexdigest()[:_DIGITS] for each in found
    }


def as_metadata(found):
    """Identities in a server's metadata, as many as there is room for."""
    return ' '.join(sorted(found)[:_MOST])
