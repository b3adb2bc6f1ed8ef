# SPDX-License-Identifier: Apache-2.0
"""Install servers that go to another flavor or another host.

A host with the stock driver would drop ``disk.newos`` and fill the image cache
below the driver ISO with the install ISO, so the source asks first whom it
gives the server to.
"""

import os

from keystoneauth1 import exceptions as keystoneauth_exceptions
from nova import exception as nova_exception
from nova import objects
from nova.compute import task_states
import nova.conf
from oslo_utils import units

from nova_newos import exception
from nova_newos import layout

CONF = nova.conf.CONF

#: End of the name of the file that a live migration's destination makes to
#: find out about shared storage. The source sees the name, and by it that the
#: destination has this driver.
_TEST_FILE = '.newos'


def check_size(size, flavor):
    """Refuse a flavor whose root disk is smaller than the server's.

    Nova compares flavors only, and the root disk need not be of its flavor's
    size.

    :param size: of the root disk, in bytes
    :param flavor: ``nova.objects.Flavor`` to go to
    :raises RootDiskShrinkRefused: when it is too small
    """
    if flavor.root_gb and size > flavor.root_gb * units.Gi:
        raise exception.RootDiskShrinkRefused(
            size=-(-size // units.Gi), flavor_gb=flavor.root_gb
        )


def grown_gb(server):
    """Size that a root disk is to have at least after a resize, in GiB.

    By the same rules as a new server's, with the new flavor.

    :param server: with its new flavor
    :returns: 0 when there is no such size
    """
    instance = server.instance
    flavor_gb = instance.flavor.root_gb
    if instance.old_flavor and instance.old_flavor.root_gb == flavor_gb:
        return 0
    if not server.layout.installs:
        return flavor_gb
    try:
        return layout.root_disk_gb(
            layout.image_properties(instance.system_metadata),
            CONF.newos.root_disk_size,
            flavor_gb,
        )
    except exception.NewosError:
        # The disks are here by now; a size that means nothing is none.
        return 0


def check_cross_cell(disks, server):
    """Refuse a flavor of another cell whose root disk is too small.

    For that Nova takes an image of the disk, and spawns the server from it.

    :param disks: a :class:`nova_newos.virt.disks.Disks`
    :raises RootDiskShrinkRefused: when it is
    """
    instance = server.instance
    if instance.task_state == task_states.RESIZE_MIGRATING:
        check_size(disks.root_size(server), instance.new_flavor)


def check_destination(context, report_client, server):
    """Refuse a cold migration or resize to a host that cannot keep a server.

    :param context: of the operation
    :param report_client: ``nova.virt.virtapi.VirtAPI.reportclient``
    :raises StockHostRefused: when the host does not report the driver's trait
    :raises MediumMissing: when it does not report that of a CD-ROM's medium
    :raises DestinationUnknown: when it cannot be asked
    """
    # There may be old ones of this server that never ended.
    migration = objects.Migration.get_by_id(
        context, server.instance.migration_context.migration_id
    )
    host = migration.dest_compute
    if host == migration.source_compute:
        return
    try:
        node = objects.ComputeNode.get_by_host_and_nodename(
            context, host, migration.dest_node
        )
        found = report_client.get_provider_traits(context, node.uuid).traits
    except (
        nova_exception.ComputeHostNotFound,
        nova_exception.ResourceProviderTraitRetrievalFailed,
        keystoneauth_exceptions.ClientException,
    ) as error:
        raise exception.DestinationUnknown(host=host, reason=error) from error
    if layout.TRAIT not in found:
        raise exception.StockHostRefused(host=host, trait=layout.TRAIT)
    for name in map(layout.medium_of, server.cdroms[1:]):
        if layout.medium_trait(name) not in found:
            raise exception.MediumMissing(host=host, medium=name)


def sign_test_file(name):
    """Let the source of a live migration see that we are its destination.

    :param name: of a file in ``[DEFAULT] instances_path``
    :returns: its new name
    """
    signed = name + _TEST_FILE
    os.rename(
        os.path.join(CONF.instances_path, name),
        os.path.join(CONF.instances_path, signed),
    )
    return signed


def check_test_file(name):
    """Refuse a live migration to a host without this driver.

    :param name: of the file that the destination made
    :raises StockHostRefused: when it was not named by :func:`sign_test_file`
    """
    if not name.endswith(_TEST_FILE):
        raise exception.StockHostRefused(
            host='the destination', trait=layout.TRAIT
        )
