# SPDX-License-Identifier: Apache-2.0
"""What a fresh cloud holds: users, endpoints and flavors."""

import contextlib
import datetime

import openstack

from devstack.onebox import configs
from devstack.onebox import settings
from devstack.onebox import waiting
from devstack.onebox.errors import BoxError

# ram in MiB, disk in GiB.
FLAVORS = {
    'm1.nano': {'vcpus': 1, 'ram': 192, 'disk': 1},
    'm1.tiny': {'vcpus': 1, 'ram': 512, 'disk': 1},
    'm1.small': {'vcpus': 1, 'ram': 768, 'disk': 4},
    'm1.medium': {'vcpus': 1, 'ram': 1536, 'disk': 10},
}
# ``{project: {user: roles}}``.
PROJECTS = {
    'service': dict.fromkeys(
        ('nova', 'glance', 'placement', 'neutron'), ['admin', 'service']
    ),
    # Ordinary ones.
    'demo': {'demo': ['member']},
    'alt': {'alt': ['member']},
}
# For a machine that is busy with other things, too.
_LIMIT = 600


@contextlib.contextmanager
def administrator(state):
    """The cloud as its administrator sees it, an openstacksdk Connection.

    :raises BoxError: for what the cloud complains about.
    """
    config = openstack.config.OpenStackConfig(
        config_files=[str(state.clouds)], load_envvars=False
    )
    try:
        with openstack.connection.Connection(
            config=config.get_one(settings.ADMIN_CLOUD)
        ) as cloud:
            yield cloud
    except openstack.exceptions.SDKException as exc:
        raise BoxError(f'the cloud says: {exc}') from exc


def fill_identity(identity, box):
    """Projects, users and endpoints."""
    for name, users in PROJECTS.items():
        project = identity.find_project(name) or identity.create_project(
            name=name, domain_id='default'
        )
        for user, roles in users.items():
            _ensure_user(identity, user, box.passwords[user], project, roles)
    for (kind, name), url in configs.endpoints(box).items():
        _ensure_endpoint(identity, kind, name, url)


def _ensure_user(identity, name, password, project, roles):
    user = identity.find_user(name) or identity.create_user(
        name=name,
        password=password,
        domain_id='default',
        default_project_id=project.id,
    )
    for role in roles:
        identity.assign_project_role_to_user(
            project, user, identity.find_role(role, ignore_missing=False)
        )


def _ensure_endpoint(identity, kind, name, url):
    service = identity.find_service(name) or identity.create_service(
        type=kind, name=name
    )
    found = list(identity.endpoints(service_id=service.id, interface='public'))
    if not found:
        identity.create_endpoint(
            service_id=service.id,
            interface='public',
            url=url,
            region_id=configs.REGION,
        )
    elif found[0].url != url:
        identity.update_endpoint(found[0], url=url)


def fill_compute(cloud):
    """Flavors."""
    # The first request to Neutron fails if it is one for ports, and Nova's
    # would be.
    list(cloud.network.networks())
    for name, sizes in FLAVORS.items():
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, **sizes)


def await_compute(cloud, since, check):
    """Wait until Nova's services have reported, and resources to Placement.

    :param since: ``{binary: seconds since 1970}``, when each was started.
    :param check: called at each look; what it raises ends the waiting.
    :raises waiting.TimedOut: when the time limit is over.
    """

    def reported():
        check()
        moments = {
            service.binary: _moment(service)
            for service in cloud.compute.services()
            if service.state == 'up'
        }
        return all(
            moments.get(binary, 0) > moment for binary, moment in since.items()
        )

    def has_resources():
        check()
        return any(
            list(cloud.placement.resource_provider_inventories(node))
            for node in cloud.placement.resource_providers()
        )

    waiting.wait_for(
        'a report from ' + ', '.join(since), reported, _LIMIT, 0.3
    )
    waiting.wait_for(
        "nova-compute's report of resources", has_resources, _LIMIT, 0.3
    )


def _moment(service):
    if not service.updated_at:
        return 0
    stamp = datetime.datetime.fromisoformat(service.updated_at)
    return stamp.replace(tzinfo=datetime.UTC).timestamp()
