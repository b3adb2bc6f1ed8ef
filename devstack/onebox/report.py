# SPDX-License-Identifier: Apache-2.0
"""'box status' and 'box env'."""

import os
import shlex
import subprocess
import time

from devstack.onebox import plans
from devstack.onebox import ports
from devstack.onebox import processes
from devstack.onebox import settings as settings_module
from devstack.onebox import supervision
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say

_VERSIONS = (
    'nova',
    'glance',
    'keystone',
    'neutron',
    'openstack-placement',
    'python-openstackclient',
    'libvirt-python',
    'nova-newos',
)


def status(state):
    """Print what runs.

    :returns: 0 when every service does, else 3.
    """
    settings = _settings(state)
    states = supervision.Supervisor(state).states()
    say(f'state directory  {state.root}')
    say(f'release          {settings.release}')
    say(f'compute driver   {settings.compute_driver}')
    say(f'KVM              {"yes" if state.marked("kvm", "yes") else "no"}')
    for name, value in sorted(settings.overrides.items()):
        say(f'set              {name}={value}')
    for name, version in sorted(_versions(state).items()):
        say(f'version          {name} {version}')
    for name, url in _endpoints(settings):
        say(f'endpoint         {name} {url}')
    say(f'guests           {len(processes.guests(state))} running')
    for name, (what, pid, since) in states.items():
        detail = (
            f'process {pid}, {_age(since)}'
            if what == 'RUNNING'
            else f'see {state.logs / name}.log'
        )
        say(f'{name:<16} {what.lower()}, {detail}')
    if not states:
        say('services         none: the box is down')
    return (
        0
        if states
        and all(what == 'RUNNING' for what, _pid, _since in states.values())
        else 3
    )


def _settings(state):
    if not os.access(state.root, os.R_OK) and state.root.exists():
        raise BoxError(f'{state.root} cannot be read: use sudo')
    settings = settings_module.load(state.settings)
    if settings is None:
        raise BoxError(f"no box in {state.root}: make one with 'box up'")
    return settings


def _versions(state):
    python = state.venv / 'bin' / 'python'
    if not python.exists():
        return {}
    code = (
        'import importlib.metadata as m\n'
        'for d in m.distributions(): print(d.name, d.version)'
    )
    lines = subprocess.run(
        [python, '-P', '-c', code],
        capture_output=True,
        text=True,
        check=False,
        env=processes.environment(state),
    ).stdout.splitlines()
    found = dict(line.split() for line in lines)
    return {name: found[name] for name in _VERSIONS if name in found}


def _endpoints(settings):
    plan = ports.plan(settings.port_base)
    return [
        (name, f'http://127.0.0.1:{plan[name]}')
        for name in ('keystone', 'glance', 'placement', 'neutron', 'nova-api')
    ]


def _age(since):
    minutes, seconds = divmod(max(0, int(time.time()) - since), 60)
    return f'up {minutes} min {seconds} s'


def variables(state):
    """What a shell needs to use the box: ``{name: value}``."""
    return {
        'PATH': f'{state.venv}/bin:{os.environ.get("PATH", os.defpath)}',
        'OS_CLIENT_CONFIG_FILE': state.clouds,
        'OS_CLOUD': plans.USER_CLOUD,
        'LIBVIRT_DEFAULT_URI': state.libvirt_uri,
        'ONEBOX_STATE': state.root,
        'ONEBOX_VENV': state.venv,
        'ONEBOX_INSTANCES': state.instances,
        'ONEBOX_BASE': state.instances / '_base',
        'ONEBOX_GLANCE_STORE': state.images / 'store',
        'ONEBOX_LOGS': state.logs,
        'ONEBOX_SUPERVISOR_CONF': state.supervisor_conf,
    }


def env(state):
    """Print shell commands that give a shell the box."""
    _settings(state)
    for name, value in variables(state).items():
        say(f'export {name}={shlex.quote(str(value))}')
