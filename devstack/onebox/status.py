# SPDX-License-Identifier: Apache-2.0
"""'box status'."""

import contextlib
import importlib.metadata
import time

from devstack.onebox import processes
from devstack.onebox import settings as settings_module
from devstack.onebox import supervision
from devstack.onebox.progress import say

_VERSIONS = (
    'glance',
    'keystone',
    'libvirt-python',
    'neutron',
    'nova',
    'nova-newos',
    'openstack-placement',
    'python-openstackclient',
)
_ENDPOINTS = ('keystone', 'glance', 'placement', 'neutron', 'nova-api')


def status(state):
    """Print what runs.

    :returns: 0 when every service does, else 3.
    """
    settings = settings_module.load(state.settings)
    told = supervision.Supervisor(state).processes()
    say(f'state directory  {state.root}')
    say(f'release          {settings.release}')
    say(f'compute driver   {settings.compute_driver}')
    say(f'KVM              {"yes" if state.marked("kvm", "yes") else "no"}')
    for name, value in sorted(settings.overrides.items()):
        say(f'set              {name}={value}')
    for name in _VERSIONS:
        # nova-newos is not there beside stock Nova.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            say(f'version          {name} {importlib.metadata.version(name)}')
    for name in _ENDPOINTS:
        say(f'endpoint         {name} http://127.0.0.1:{settings.ports[name]}')
    say(f'guests           {len(processes.guests(state))} running')
    for name, process in told.items():
        what = process['statename']
        detail = (
            f'process {process["pid"]}, {_age(process["start"])}'
            if what == 'RUNNING'
            else f'see {state.logs / name}.log'
        )
        say(f'{name:<16} {what.lower()}, {detail}')
    if not told:
        say('services         none: the box is down')
    run = [process['statename'] == 'RUNNING' for process in told.values()]
    return 0 if run and all(run) else 3


def _age(since):
    minutes, seconds = divmod(max(0, int(time.time()) - since), 60)
    return f'up {minutes} min {seconds} s'
