# SPDX-License-Identifier: Apache-2.0
"""What each release of Nova looked like when we checked it.

``recorded.txt`` has a line for each name, and one more where releases differ::

    33 34  nova.virt.images.fetch (context, image_href, path) 1a2b3c4d

The releases are those that the line is true for; the digest is that of the
source without comments: what a function does matters as its parameters do.
"""

import collections
import importlib.metadata
import pathlib

from tests.contract import facts
from tests.contract import uses

HERE = pathlib.Path(__file__).parent
PATH = HERE / 'recorded.txt'
VERSION = importlib.metadata.version('nova')
RELEASE = VERSION.partition('.')[0]


def _lines(path):
    return [
        line
        for line in path.read_text().splitlines()
        if line and not line.startswith('#')
    ]


def implicit():
    """The names that our source does not spell."""
    return _lines(HERE / 'implicit.txt')


def found():
    """What the installed Nova is: dict of name to what follows it."""
    names, members = uses.of_package()
    relied_on = facts.relied_on({*names, *implicit()}, members)
    return {name: what.strip() for name, what in relied_on.items()}


def recorded():
    """What was recorded: dict of (name, what follows it) to releases."""
    known = {}
    for line in _lines(PATH):
        releases, _, fact = line.partition('  nova.')
        name, space, what = f'nova.{fact}'.partition(' ')
        known[name, what] = set(releases.split())
    return known


def expected():
    """What was recorded of the installed release, as found() has it."""
    return {
        name: what
        for (name, what), releases in recorded().items()
        if RELEASE in releases
    }


def write():
    """Record the installed release in place of what was known of it."""
    known = collections.defaultdict(set, recorded() if PATH.exists() else {})
    for releases in known.values():
        releases.discard(RELEASE)
    facts_now = found()
    for fact in facts_now.items():
        known[fact].add(RELEASE)
    lines = sorted(
        (name, sorted(releases), what)
        for (name, what), releases in known.items()
        if releases
    )
    PATH.write_text(
        '# What Nova looks like, see record.py, which wrote this.\n'
        + ''.join(
            f'{" ".join(releases)}  {name} {what}'.rstrip() + '\n'
            for name, releases, what in lines
        )
    )
    print('recorded %d names of Nova %s' % (len(facts_now), VERSION))
