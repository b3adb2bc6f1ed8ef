# SPDX-License-Identifier: Apache-2.0
"""What a fresh cloud holds; run by the box's Python, through openstacksdk.

usage: python -P content.py PLAN.json
"""

import argparse
import datetime
import json
import sys
import time

import openstack

_LIMIT = 120


def ensure_project(cloud, name, description):
    """The project of that name, made if it is missing."""
    return cloud.identity.find_project(name) or cloud.identity.create_project(
        name=name, description=description, domain_id='default'
    )


def ensure_user(cloud, name, password, project, roles):
    """A user of one project with these roles, made if missing."""
    identity = cloud.identity
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


def ensure_endpoint(cloud, kind, name, url, region):
    """The public endpoint of one service, made or moved."""
    identity = cloud.identity
    service = identity.find_service(name) or identity.create_service(
        type=kind, name=name
    )
    found = list(identity.endpoints(service_id=service.id, interface='public'))
    if not found:
        identity.create_endpoint(
            service_id=service.id,
            interface='public',
            url=url,
            region_id=region,
        )
    elif found[0].url != url:
        identity.update_endpoint(found[0], url=url)


def fill_identity(cloud, plan):
    """Projects, users and endpoints."""
    for name, project in plan['projects'].items():
        made = ensure_project(cloud, name, project['description'])
        for user, (password, roles) in project['users'].items():
            ensure_user(cloud, user, password, made, roles)
    for kind, name, url in plan['endpoints']:
        ensure_endpoint(cloud, kind, name, url, plan['region'])


def fill_compute(cloud, plan):
    """Flavors."""
    for name, sizes in plan['flavors'].items():
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, **sizes)


def await_services(cloud, since):
    """Wait until Nova's services have reported after a moment.

    :param since: ``{binary: seconds since 1970}``, when each was started.
    :raises SystemExit: when the time limit is over.
    """
    until = time.monotonic() + _LIMIT
    silent = set(since)
    while silent:
        for service in cloud.compute.services():
            if service.state == 'up' and _reported(
                service, since.get(service.binary, 0)
            ):
                silent.discard(service.binary)
        if silent:
            _give_up_after(until, 'no report from ' + ', '.join(silent))


def _reported(service, moment):
    if not service.updated_at:
        return False
    stamp = datetime.datetime.fromisoformat(service.updated_at)
    return stamp.replace(tzinfo=datetime.UTC).timestamp() > moment


def await_resources(cloud):
    """Wait until Placement knows what nova-compute has to give."""
    until = time.monotonic() + _LIMIT
    while not any(
        list(cloud.placement.resource_provider_inventories(node))
        for node in cloud.placement.resource_providers()
    ):
        _give_up_after(until, 'nova-compute reports no resources')


def _give_up_after(until, complaint):
    if time.monotonic() > until:
        sys.exit(f'{complaint} after {_LIMIT} s')
    time.sleep(0.3)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('plan', type=argparse.FileType())
    plan = json.load(parser.parse_args().plan)
    cloud = openstack.connect(cloud=plan['cloud'])
    if 'projects' in plan:
        fill_identity(cloud, plan)
    if 'flavors' in plan:
        # The first request to Neutron fails if it is one for ports, and
        # Nova's would be.
        list(cloud.network.networks())
        fill_compute(cloud, plan)
        await_services(cloud, plan['await'])
        await_resources(cloud)


if __name__ == '__main__':
    main()
