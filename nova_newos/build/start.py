# SPDX-License-Identifier: Apache-2.0
"""Begin a build, once all that can be told before has been told."""

import base64
import uuid

from nova_newos import layout
from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.media.answers import cd

# Bytes whose Base64 nova-api takes, 65535 characters of it.
_MAX_USER_DATA = 65535 // 4 * 3

# The install server, and beside it the one that tests the candidate.
_SERVERS = 2


def create(cloud, plan, iso, user_data=None, metadata=None):
    """Begin a build.

    :param cloud: an ``openstack.connection.Connection``
    :param plan: a :class:`~nova_newos.build.plan.Plan`
    :param iso: the install ISO's image, as openstacksdk has it
    :param user_data: bytes for the installer, or None
    :param metadata: more for the install server, ``newos_seal`` for instance;
        dict of str to str
    :returns: the id of the build, a UUID
    :raises NewosError: for what would fail later; nothing is made then
    :raises openstack.exceptions.SDKException: what the cloud refuses
    """
    build_id = str(uuid.uuid4())
    _check(cloud, plan, iso)
    fields = {}
    if user_data is not None:
        fields['user_data'] = _encoded(user_data, build_id)
    engine.create_server(
        cloud,
        build_id,
        plan,
        name=f'{plan.name}-install',
        image_id=iso.id,
        metadata={**(metadata or {}), **plan.as_metadata()},
        **fields,
    )
    return build_id


def _check(cloud, plan, iso):
    plan.check()
    if iso.status != 'active':
        raise exception.IsoNotReady(iso=iso.name, status=iso.status)
    properties = iso.properties or {}
    if not layout.is_install_iso(iso.disk_format, properties):
        raise exception.NotAnInstallIso(iso=iso.name)
    flavor = cloud.compute.get_flavor(plan.flavor)
    # Whether there is a default size is the operator's.
    layout.root_disk_gb(properties, 1, flavor.disk, iso.min_disk or 0)
    _check_quota(cloud, plan, flavor)


def _check_quota(cloud, plan, flavor):
    servers = 1 if plan.pattern is None else _SERVERS
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


def _encoded(user_data, build_id):
    """As nova-api takes it, if the answers in it can be used.

    :raises NewosError: when they cannot
    """
    cd.from_user_data(user_data, build_id)
    if len(user_data) > _MAX_USER_DATA:
        raise exception.UserDataTooLarge(
            limit=_MAX_USER_DATA, length=len(user_data)
        )
    return base64.b64encode(user_data).decode()
