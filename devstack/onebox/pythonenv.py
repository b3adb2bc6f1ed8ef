# SPDX-License-Identifier: Apache-2.0
"""The box's Python: the services' pinned versions, and nova-newos."""

import hashlib
import os
import shutil
import sys

from devstack.onebox import commands
from devstack.onebox import progress
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say
from devstack.onebox.progress import step
from devstack.onebox.state import TOP

# What runs as a service and what 'box', 'demo' and their users need: one
# environment, and the versions of constraints/ for all of it.
REQUIREMENTS = (
    # RabbitMQ, asked who listens.
    'amqp',
    'glance',
    'keystone',
    'libvirt-python',
    'neutron',
    'nova',
    'openstack-placement',
    'openstacksdk',
    'osc-placement',
    # The processes of a box, and the holders of ports.
    'psutil',
    # MariaDB, for the services and for the box.
    'PyMySQL',
    # Imported by neutron, declared by nobody.
    'pyroute2',
    'python-openstackclient',
    'supervisor',
    # All waiting of the box.
    'tenacity',
    'uWSGI',
    # Screens of builds, for the client.
    'pillow',
    'websockets',
)
# The installer has no part in constraints/, which the cloud runs on.
_UV = 'uv>=0.8,<1'

# Published as sources only, and long to compile.
_COMPILED = ('libvirt-python', 'uWSGI')

# What nova-newos is built from.
_SOURCES = (
    'LICENSE',
    'README.rst',
    'glance_ext',
    'nova_newos',
    'pyproject.toml',
    'requirements.txt',
    'setup.cfg',
    'setup.py',
)
_OURS_MARK = 'nova-newos'


def constraints(settings):
    """Path of the pinned versions of the release."""
    return TOP / 'constraints' / f'{settings.release}.txt'


def enter(state):
    """Go on in the box's Python, with the same arguments, if not there yet.

    :raises BoxError: when there is none.
    """
    python = state.venv / 'bin' / 'python'
    if os.path.realpath(sys.prefix) == os.path.realpath(state.venv):
        return
    if not python.exists():
        raise BoxError(
            f"the box in {state.root} is not finished: run 'box up' again"
        )
    module = sys.modules['__main__'].__spec__.name
    sys.stdout.flush()
    os.execve(  # noqa: S606
        python,
        [python, '-P', '-m', module, *sys.argv[1:]],
        os.environ | progress.handed_on(),
    )


def provide(state, settings):
    """Make the environment, unless it is there for the present pins.

    It is made beside the one that services may be running from, and replaces
    it when it is finished. What a killed run left is not trusted; the caches
    of uv and pip make starting over cheap.

    :raises BoxError: when an installer fails.
    """
    pins = constraints(settings)
    digest = hashlib.sha256(pins.read_bytes())
    digest.update('\n'.join((*REQUIREMENTS, _UV)).encode())
    place = state.root / f'venv-{digest.hexdigest()[:12]}'
    if state.venv.resolve().name == place.name:
        return
    say(
        f'building the Python environment for OpenStack {settings.release} '
        f'(log: {state.logs}/python.log)'
    )
    with step('python environment'):
        shutil.rmtree(place, ignore_errors=True)
        _run(state, '/usr/bin/python3', '-m', 'venv', place)
        pip = (place / 'bin' / 'python', '-m', 'pip')
        _run(state, *pip, 'install', _UV)
        wheels = state.work / 'wheels'
        # By pip, which keeps what it compiled for the next box; uv compiles
        # anew when a registry does not vouch for the source.
        _run(
            state,
            *(*pip, 'wheel', '--use-pep517', '--no-deps'),
            *('--wheel-dir', wheels, '--constraint', pins, *_COMPILED),
        )
        _uv_install(state, place, pins, '--find-links', wheels, *REQUIREMENTS)
        _replace(state, place)


def _replace(state, place):
    state.unmark(_OURS_MARK)
    link = state.root / 'venv.new'
    link.unlink(missing_ok=True)
    link.symlink_to(place.name)
    link.replace(state.venv)


def remove_others(state):
    """Remove environments that nothing runs from any more."""
    for path in state.root.glob('venv-*'):
        if path.name != state.venv.resolve().name:
            shutil.rmtree(path)


def _uv_install(state, place, pins, *arguments, **variables):
    _run(
        state,
        *(place / 'bin' / 'uv', 'pip', 'install'),
        *('--python', place / 'bin' / 'python', '--constraints', pins),
        *arguments,
        **variables,
    )


def _run(state, *command, **variables):
    # The user's environment, for the registries and proxies in it, but for
    # what leads to this checkout.
    user = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    commands.run(command, state.logs / 'python.log', user | variables)


def source_digest(top=TOP):
    """Digest of names and contents of what nova-newos is built from."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        for path in sorted([top / name, *(top / name).rglob('*')]):
            if path.is_file() and path.parent.name != '__pycache__':
                digest.update(f'{path.relative_to(top)}\0'.encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def install_ours(state, settings):
    """Install the checkout, unless its like is installed already.

    :returns: the digest of what is installed.
    :raises BoxError: when it cannot be built.
    """
    digest = source_digest()
    if state.marked(_OURS_MARK, digest):
        return digest
    with step('nova-newos'):
        state.unmark(_OURS_MARK)
        # From a copy: a build writes into its tree, and as root.
        copy = state.work / 'nova-newos'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(
            TOP,
            copy,
            ignore=lambda directory, names: {
                name
                for name in names
                if name == '__pycache__'
                or (directory == str(TOP) and name not in _SOURCES)
            },
        )
        _uv_install(
            state,
            state.venv,
            constraints(settings),
            *('--reinstall-package', 'nova-newos', f'{copy}[compute]'),
            # pbr asks git, which the copy has not; the digest says more.
            PBR_VERSION=f'0.0.0+{digest[:12]}',
        )
        state.mark(_OURS_MARK, digest)
    return digest


def link_driver(state, ours):
    """Put our driver where Nova finds it, or take it away again.

    :raises BoxError: when that fails.
    """
    command = state.venv / 'bin' / 'nova-newos-link-driver'
    if ours or command.exists():
        _run(state, command, *(() if ours else ('--remove',)))
