# SPDX-License-Identifier: Apache-2.0
"""The box's Python: the services' pinned versions and nova-newos."""

import hashlib
import os
import pathlib
import shutil
import subprocess

from devstack.onebox import processes
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail
from devstack.onebox.progress import say
from devstack.onebox.progress import step
from devstack.onebox.state import TOP

REQUIREMENTS = (
    'glance',
    'keystone',
    'libvirt-python',
    'neutron',
    'nova',
    'openstack-placement',
    'osc-placement',
    'PyMySQL',
    # Imported by neutron, declared by nobody.
    'pyroute2',
    'python-openstackclient',
    'supervisor',
    'uWSGI',
)

# Published as sources only, and long to compile.
_COMPILED = ('libvirt-python', 'uWSGI')

_MARK = 'python'
_OURS_MARK = 'nova-newos'
# What the package is not built from; the rest decides whether to rebuild.
_NOT_BUILT = (
    'AUTHORS',
    'ChangeLog',
    'benchmarks',
    'build',
    'constraints',
    'devstack',
    'dist',
    'doc',
    'examples',
    'releasenotes',
    'tests',
    '__pycache__',
)


def constraints(settings):
    """Path of the pinned versions of the release."""
    return TOP / 'constraints' / f'{settings.release}.txt'


def wanted(settings):
    """What the environment must be made from, as one digest."""
    digest = hashlib.sha256(constraints(settings).read_bytes())
    digest.update('\n'.join(REQUIREMENTS).encode())
    return digest.hexdigest()


def ready(state, settings):
    """Whether the environment is there, for the present pins."""
    return state.marked(_MARK, wanted(settings))


def build(state, settings):
    """Make the environment from nothing.

    Only the end of the work sets the mark: what a killed run left is not
    trusted, and uv's cache makes starting over cheap.

    :raises BoxError: when an installer fails.
    """
    log = state.logs / 'python.log'
    state.unmark(_MARK)
    state.unmark(_OURS_MARK)
    say(
        f'building the Python environment for OpenStack {settings.release} '
        f'(log: {log})'
    )
    with step('python environment'):
        _provide_uv(state, log)
        shutil.rmtree(state.venv, ignore_errors=True)
        _run(
            state,
            log,
            state.uv / 'bin' / 'uv',
            'venv',
            '--python',
            '/usr/bin/python3',
            state.venv,
        )
        wheels = state.work / 'wheels'
        # By pip, which keeps what it compiled for the next box; uv compiles
        # anew when a registry does not vouch for the source.
        _run(
            state,
            log,
            state.uv / 'bin' / 'pip',
            'wheel',
            '--use-pep517',
            '--no-deps',
            '--wheel-dir',
            wheels,
            '--constraint',
            constraints(settings),
            *_COMPILED,
        )
        _uv_install(
            state, settings, log, '--find-links', wheels, *REQUIREMENTS
        )
        state.mark(_MARK, wanted(settings))


def _provide_uv(state, log):
    if not state.marked('uv'):
        shutil.rmtree(state.uv, ignore_errors=True)
        _run(state, log, '/usr/bin/python3', '-m', 'venv', state.uv)
        _run(state, log, state.uv / 'bin' / 'pip', 'install', 'uv')
        state.mark('uv')


def _uv_install(state, settings, log, *arguments, **variables):
    _run(
        state,
        log,
        state.uv / 'bin' / 'uv',
        'pip',
        'install',
        '--python',
        state.venv / 'bin' / 'python',
        '--constraints',
        constraints(settings),
        *arguments,
        **variables,
    )


def _run(state, log, *command, **variables):
    with open(log, 'a') as output:
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            # The user's environment, for the registries and proxies in it.
            env=os.environ | processes.setup_mark(state) | variables,
        )
    if done.returncode:
        raise BoxError(f'{command[0]} failed; {tail(log)}')


def source_digest(top=TOP):
    """Digest of names and contents of what nova-newos is built from."""
    digest = hashlib.sha256()
    for path in sorted(_sources(top)):
        digest.update(f'{path.relative_to(top)}\0'.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(top):
    for directory, subdirectories, names in os.walk(top):
        skipped = _ignored(directory, subdirectories + names)
        subdirectories[:] = set(subdirectories) - skipped
        for name in set(names) - skipped:
            yield pathlib.Path(directory) / name


def _ignored(_directory, names):
    return {
        name
        for name in names
        if name in _NOT_BUILT
        or name.startswith('.')
        or name.endswith('.egg-info')
    }


def install_ours(state, settings):
    """Install the checkout, unless its like is installed already.

    :returns: the digest of what is installed.
    :raises BoxError: when it cannot be built.
    """
    digest = source_digest()
    if state.marked(_OURS_MARK, digest):
        return digest
    log = state.logs / 'python.log'
    with step('nova-newos'):
        state.unmark(_OURS_MARK)
        # From a copy: a build writes into its tree, and as root.
        copy = state.work / 'nova-newos'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(TOP, copy, ignore=_ignored)
        # pbr asks git, which the copy has not; the digest says more anyway.
        _uv_install(
            state,
            settings,
            log,
            '--reinstall-package',
            'nova-newos',
            f'{copy}[compute]',
            PBR_VERSION=f'0.0.0+{digest[:12]}',
        )
        state.mark(_OURS_MARK, digest)
    return digest


def link_driver(state, ours):
    """Put our driver where Nova finds it, or take it away again.

    :raises BoxError: when that fails.
    """
    command = state.venv / 'bin' / 'nova-newos-link-driver'
    if ours:
        _run(state, state.logs / 'python.log', command)
    elif command.exists():
        _run(state, state.logs / 'python.log', command, '--remove')
