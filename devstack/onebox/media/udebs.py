# SPDX-License-Identifier: Apache-2.0
"""Packages that only debian-installer installs, from the machine's mirror.

The machine's own package lists do not have them, and stay as they are: these
come by lists of their own, which are forgotten again.
"""

from pathlib import Path
import tempfile

from devstack.onebox.media import host

COMPONENT = 'main/debian-installer'
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'


def unpack(target, suite, names):
    """Unpack packages into one directory.

    :param target: path of the directory.
    :param suite: of Debian, which the machine has a source of.
    :param names: of the packages; what they depend on is not added.
    :raises MediaError: when there is no source or no such package.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        scratch = Path(directory)
        options = _options(scratch, suite)
        host.apt_get(*options, 'update')
        host.apt_get(*options, 'download', *names, cwd=scratch)
        for path in sorted(scratch.glob('*.udeb')):
            host.run('dpkg-deb', '--extract', path, target)


def _options(scratch, suite):
    sources = scratch / 'sources.list'
    sources.write_text(_sources(suite))
    lists = scratch / 'lists'
    lists.mkdir()
    settings = (
        f'Dir::Etc::SourceList={sources}',
        'Dir::Etc::SourceParts=/dev/null',
        f'Dir::State::Lists={lists}',
        'Dir::State::Status=/dev/null',
        'Dir::Cache::PkgCache=',
        'Dir::Cache::SrcPkgCache=',
    )
    return [word for setting in settings for word in ('-o', setting)]


def _sources(suite):
    # An installer's kernel and its modules are in the release itself.
    entries = (
        line.split() for line in host.debian_sources(suite).splitlines()
    )
    found = [
        f'deb [signed-by={KEYRING}] {uri} {suite} {COMPONENT}\n'
        for _deb, uri, codename, component in entries
        if (codename, component) == (suite, 'main')
    ]
    if not found:
        raise host.MediaError(
            f'APT has no source of Debian {suite}, component main: add one'
        )
    return ''.join(found)
