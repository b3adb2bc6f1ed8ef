# SPDX-License-Identifier: Apache-2.0
"""What a fresh cloud holds: users, endpoints and flavors."""

import contextlib

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
# How Nova's reason begins when it disables a host without libvirtd.
_BY_NOVA = 'AUTO:'


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


def await_compute(cloud, services, check):
    """Wait until Nova counts on its services, and on the host's resources.

    :param services: names of binaries.
    :param check: called at each look; what it raises ends the waiting.
    :raises waiting.TimedOut: when the time limit is over.
    """

    def in_service():
        check()
        found = {s.binary: s for s in cloud.compute.services()}
        return all(
            name in found
            and found[name].state == 'up'
            # Else somebody has disabled it, and may have wanted to.
            and not (found[name].disabled_reason or '').startswith(_BY_NOVA)
            for name in services
        )

    def has_resources():
        check()
        return any(
            list(cloud.placement.resource_provider_inventories(node))
            for node in cloud.placement.resource_providers()
        )

    waiting.wait_for(
        ', '.join(services) + ' in service', in_service, _LIMIT, 0.3
    )
    waiting.wait_for(
        "nova-compute's report of resources", has_resources, _LIMIT, 0.3
    )
