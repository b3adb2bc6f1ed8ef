# SPDX-License-Identifier: Apache-2.0
"""The file of what each release of Nova looked like when we checked it.

A JSON object: name to a list of facts (see facts.describe), each with the
``versions`` of Nova that it holds for. A name may have several facts within
one release.
"""

import json
import pathlib

PATH = pathlib.Path(__file__).with_name('recorded.json')

ADVICE = (
    'Read what changed in Nova, adapt the code that relies on it and its '
    'tests, then run "python -m tests.contract record" with this version of '
    'Nova installed.'
)


def load(path=PATH):
    """The whole file, or an empty dict where there is none yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def save(records, path=PATH):
    path.write_text(json.dumps(records, indent=1, sort_keys=True) + '\n')


def release(version):
    """'34' for version '34.0.1'."""
    return version.partition('.')[0]


def add(records, facts, version):
    """Record the facts of a version; forget names no longer relied on.

    :param records: as load() gives them
    :param facts: dict of name to fact, complete
    :param version: version of Nova that they are of
    :returns: new records
    """
    return {
        name: _entries(records.get(name, []), fact, version)
        for name, fact in facts.items()
    }


def _entries(entries, fact, version):
    """The entries of a name, changed so that a version has one fact only."""
    holds = {}
    for entry in entries:
        bare = _bare(entry)
        holds[json.dumps(bare, sort_keys=True)] = (
            bare,
            set(entry['versions']) - {version},
        )
    holds.setdefault(json.dumps(fact, sort_keys=True), (fact, set()))
    return [
        {
            **bare,
            'versions': sorted(
                {*versions, version} if bare == fact else versions
            ),
        }
        for bare, versions in holds.values()
        if versions or bare == fact
    ]


def _bare(entry):
    return {key: value for key, value in entry.items() if key != 'versions'}


def known(records, name, version):
    """The facts that a name may have in the release that a version is of."""
    return [
        _bare(entry)
        for entry in records.get(name, [])
        if release(version) in map(release, entry['versions'])
    ]


def complaint(records, name, fact, version):
    """What is wrong with a name in the installed version.

    :param records: as load() gives them
    :param name: the dotted name
    :param fact: what it is now
    :param version: the installed version of Nova
    :returns: text, empty if the fact is known
    """
    facts = known(records, name, version)
    if fact in facts:
        return ''
    if name not in records:
        what = 'our code uses it, but it is not in %s' % PATH.name
    elif not facts:
        what = 'nothing is recorded of it for release %s' % release(version)
    else:
        what = 'it is %s, recorded is %s' % (
            json.dumps(fact),
            ' or '.join(json.dumps(f) for f in facts),
        )
    return '%s, Nova %s: %s. %s' % (name, version, what, ADVICE)
