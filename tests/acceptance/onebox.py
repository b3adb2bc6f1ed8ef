# SPDX-License-Identifier: Apache-2.0
"""The cloud of the one box, as the tests use it."""

import functools
import json
import subprocess

import openstack as sdk

from devstack.onebox import waiting

#: Seconds after which what was waited for will not come: on two processors
#: that do nothing else, nothing takes a fifth of it.
LIMIT = 600

TimedOut = waiting.TimedOut


def wait_for(what, condition, interval=0.3):
    """Wait until ``condition()`` is true and return what it returned.

    :raises TimedOut: naming ``what``
    """
    return waiting.wait_for(what, condition, LIMIT, interval)


def openstack(*arguments, cloud='onebox', check=True):
    """Run the stock command-line client.

    :returns: what it prints with ``--format=json``, else None; with
        ``check=False`` the finished process
    """
    command = ['openstack', '--os-cloud', cloud, *map(str, arguments)]
    process = subprocess.run(
        command, capture_output=True, text=True, check=False
    )
    if not check:
        return process
    assert process.returncode == 0, f'{command}: {process.stderr}'
    if '--format=json' in arguments:
        return json.loads(process.stdout)
    return None


@functools.cache
def administrator():
    """The cloud as its administrator sees it."""
    return sdk.connect(cloud='onebox-admin')


def allocations(server_id):
    """What Placement keeps for a server and for its migrations."""
    admin = administrator()
    consumers = [
        server_id,
        *(m.uuid for m in admin.compute.migrations(instance_uuid=server_id)),
    ]
    found = []
    for consumer in consumers:
        answer = admin.placement.get(f'/allocations/{consumer}').json()
        if answer['allocations']:
            found.append(f'allocations of {consumer}')
    return found


def disk_gb():
    """What Placement gives away of the host's disk."""
    admin = administrator()
    [host] = admin.placement.resource_providers()
    [disk] = (
        inventory
        for inventory in admin.placement.resource_provider_inventories(host)
        if inventory.resource_class == 'DISK_GB'
    )
    return disk.total
