# SPDX-License-Identifier: Apache-2.0
"""Begin a build, once all that can be told before has been told."""

import uuid

from nova_newos import layout
from nova_newos.build import actions
from nova_newos.build import exception
from nova_newos.build import facts
from nova_newos.build import iso_file
from nova_newos.registry import publishing

# Bytes whose Base64 nova-api takes, 65535 characters of it.
_MAX_USER_DATA = 65535 // 4 * 3

# The install server, and beside it the one that tests the candidate.
_SERVERS = 2


def new_id():
    """Id of a build that is to be begun."""
    return str(uuid.uuid4())


def create(cloud, build_id, plan, iso, user_data=None, metadata=None):
    """Begin a build.

    :param cloud: an ``openstack.connection.Connection``
    :param build_id: of :func:`new_id`
    :param plan: a :class:`~nova_newos.build.plan.Plan`
    :param iso: the install ISO's image, as openstacksdk has it
    :param user_data: bytes for the installer, or None
    :param metadata: more for the install server, ``newos_seal`` for instance;
        dict of str to str
    :raises NewosError: for what would fail later; nothing is made then
    :raises openstack.exceptions.SDKException: what the cloud refuses
    """
    if iso.status != 'active':
        raise exception.IsoNotReady(iso=iso.name, status=iso.status)
    check(cloud, plan, iso, user_data)
    _create_server(cloud, build_id, plan, iso, user_data, metadata)


def create_from_file(
    cloud,
    build_id,
    plan,
    file,
    user_data=None,
    metadata=None,
    keep_iso=False,
    told=None,
):
    """Begin a build from a file, which is uploaded; as :func:`create`.

    After an error of the cloud's it can be called again: what is done is not
    done anew.

    :param file: an :class:`~nova_newos.build.iso_file.IsoFile`
    :param keep_iso: whether the uploaded image outlives the build
    :param told: called with the bytes that were read, now and then
    """
    found = facts.look(cloud, build_id)
    if found.install is not None:
        return
    check(cloud, plan, file, user_data)
    iso = (
        next((i for i in found.isos if i.status == 'active'), None)
        or iso_file.kept(cloud, file)
        or iso_file.upload(cloud, file, build_id, keep_iso, told)
    )
    _create_server(cloud, build_id, plan, iso, user_data, metadata)


def check(cloud, plan, iso, user_data=None):
    """Refuse what would fail later.

    :param iso: an image, or an :class:`~nova_newos.build.iso_file.IsoFile`
    :raises NewosError: see there
    """
    plan.check()
    publishing.check(cloud, plan.name)
    properties = iso.properties or {}
    if not layout.is_install_iso(iso.disk_format, properties):
        raise exception.NotAnInstallIso(iso=iso.name)
    flavor = cloud.compute.get_flavor(plan.flavor)
    # Whether there is a default size is the operator's.
    layout.root_disk_gb(properties, 1, flavor.disk, iso.min_disk or 0)
    _check_quota(cloud, plan, flavor)
    if user_data is not None:
        _check_user_data(user_data)


def _create_server(cloud, build_id, plan, iso, user_data, metadata):
    actions.create_install_server(
        cloud,
        build_id,
        plan,
        iso.id,
        {**(metadata or {}), **plan.as_metadata()},
        user_data,
    )


def _check_quota(cloud, plan, flavor):
    servers = 1 if plan.test is None else _SERVERS
    limits = cloud.compute.get_limits().absolute
    for name, limit, used, wanted in (
        ('instances', limits.instances, limits.instances_used, servers),
        (
            'cores',
            limits.total_cores,
            limits.total_cores_used,
            servers * flavor.vcpus,
        ),
        (
            'ram',
            limits.total_ram,
            limits.total_ram_used,
            servers * flavor.ram,
        ),
    ):
        # Without a limit it is -1.
        if limit is not None and 0 <= limit < (used or 0) + wanted:
            raise exception.QuotaTooSmall(
                name=name, limit=limit, used=used, wanted=wanted
            )


def _check_user_data(user_data):
    # The client loads this module to print its help, and this loads pycdlib.
    from nova_newos.media.answers import cd

    cd.from_user_data(user_data, '')
    if len(user_data) > _MAX_USER_DATA:
        raise exception.UserDataTooLarge(
            limit=_MAX_USER_DATA, length=len(user_data)
        )
