# SPDX-License-Identifier: Apache-2.0
"""What the builders ask of the machine they run on."""

import os
import platform
import subprocess

from devstack.onebox import apt

PACKAGES = (
    'cpio',
    'debian-archive-keyring',
    'grub-common',
    'grub-efi-amd64-bin',
    'grub-pc-bin',
    'kmod',
    'mmdebstrap',
    'mtools',
    'squashfs-tools',
    'xorriso',
)
# mmdebstrap's own: a root has a merged /usr from the beginning.
_MERGED_USR = '/usr/share/mmdebstrap/hooks/merged-usr'
# The suite for a machine that is not Debian itself.
DEFAULT_SUITE = 'bookworm'


class MediaError(Exception):
    """A medium could not be made; the message says what to change."""


def run(*command, stdin=None, env=None, cwd=None):
    """Run a command and return its standard output as bytes.

    :param stdin: bytes for its standard input.
    :param env: variables added to the environment.
    :param cwd: its working directory.
    :raises MediaError: when it cannot be run or fails, with what it said.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, 'LC_ALL': 'C', **(env or {})},
        )
    except FileNotFoundError as error:
        raise MediaError(f'{command[0]} is not installed: {error}') from error
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors='replace')
        raise MediaError(
            f'{command[0]} failed with exit status {done.returncode}:\n'
            f'{said.strip()[-2000:]}'
        )
    return done.stdout


def require_root():
    """:raises MediaError: unless run by root, whom mmdebstrap needs."""
    if os.geteuid():
        raise MediaError('building media needs root: run it with sudo')


def apt_get(*arguments, cwd=None):
    run(
        *apt.COMMAND,
        '-y',
        *arguments,
        env={'DEBIAN_FRONTEND': 'noninteractive'},
        cwd=cwd,
    )


def missing_packages(packages=PACKAGES):
    """Return those of the packages that are not installed."""
    return [name for name in packages if not _installed(name)]


def _installed(package):
    done = subprocess.run(
        ['dpkg-query', '-W', '-f', '${db:Status-Status}', package],
        capture_output=True,
    )
    return done.stdout == b'installed'


def install_missing(say):
    """Install the builders' tools that are not there yet."""
    missing = missing_packages()
    if missing:
        say(f'installing {" ".join(missing)}')
        apt_get('update')
        apt_get('install', '--no-install-recommends', *missing)


def debian_suite():
    """Return the Debian suite that media are made from.

    The machine's own when it is Debian: its mirror then surely has it.
    """
    release = platform.freedesktop_os_release()
    if release['ID'] == 'debian' and 'VERSION_CODENAME' in release:
        return release['VERSION_CODENAME']
    return DEFAULT_SUITE


def debian_sources(suite):
    """Return the machine's own APT sources of that suite, one per line.

    Empty when the machine has none (it is no Debian); mmdebstrap then uses
    its own default.
    """
    wanted = (suite, f'{suite}-updates', f'{suite}-security')
    entries = (line.split() for line in _index_targets())
    return ''.join(
        f'deb {uri} {codename} {component}\n'
        for uri, codename, component in entries
        if codename in wanted
    )


def mmdebstrap(suite, root, packages, *options):
    """Make a root file system of Debian packages.

    :param suite: of Debian.
    :param root: path of the directory to make.
    :param packages: names of packages, which bring their dependencies.
    :param options: more of mmdebstrap's.
    :raises MediaError: when that fails.
    """
    sources = debian_sources(suite)
    run(
        # What it mounts, the machine's /dev/shm for one, goes away with it
        # even if it is killed: whoever removes the root removes only that.
        'unshare',
        '--mount',
        'mmdebstrap',
        '--architectures=amd64',
        f'--include={",".join(packages)}',
        '--aptopt=APT::Install-Recommends "false"',
        f'--hook-directory={_MERGED_USR}',
        *options,
        suite,
        root,
        *(['-'] if sources else []),
        stdin=sources.encode(),
    )


def _index_targets():
    listed = run(
        'apt-get',
        'indextargets',
        '--format',
        '$(REPO_URI) $(CODENAME) $(COMPONENT)',
        'Created-By: Packages',
        'Origin: Debian',
    ).decode()
    return sorted(set(listed.splitlines()))


def package_versions(packages):
    """Return APT's list of the versions there are; bytes to compare only."""
    versions = _versions(packages)
    if not versions:
        # A container image comes without package lists.
        apt_get('update')
        versions = _versions(packages)
    return versions


def _versions(packages):
    return run('apt-cache', 'madison', *packages)
