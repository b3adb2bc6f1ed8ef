# SPDX-License-Identifier: Apache-2.0
"""What a fresh cloud shall hold, as plain values for content.py."""

from devstack.onebox import configs

ADMIN_CLOUD = 'onebox-admin'
USER_CLOUD = 'onebox'
OTHER_CLOUD = 'onebox-alt'

# ram in MiB, disk in GiB.
FLAVORS = {
    'm1.nano': {'vcpus': 1, 'ram': 192, 'disk': 1},
    'm1.tiny': {'vcpus': 1, 'ram': 512, 'disk': 1},
    'm1.small': {'vcpus': 1, 'ram': 768, 'disk': 4},
    'm1.medium': {'vcpus': 1, 'ram': 1536, 'disk': 10},
}
_SERVICE_USERS = ('nova', 'glance', 'placement', 'neutron')


def clouds(box):
    """clouds.yaml, for the administrator and two ordinary users."""
    return {
        'clouds': {
            ADMIN_CLOUD: _cloud(box, 'admin', 'admin'),
            USER_CLOUD: _cloud(box, 'demo', 'demo'),
            OTHER_CLOUD: _cloud(box, 'alt', 'alt'),
        }
    }


def _cloud(box, user, project):
    return {
        'auth': {
            'auth_url': box.url('keystone') + '/v3',
            'username': user,
            'password': box.passwords[user],
            'project_name': project,
            'user_domain_name': 'Default',
            'project_domain_name': 'Default',
        },
        'region_name': configs.REGION,
        'interface': 'public',
        'identity_api_version': '3',
    }


def identity(box):
    """Projects, users and endpoints."""
    words = box.passwords
    return {
        'cloud': ADMIN_CLOUD,
        'region': configs.REGION,
        'projects': {
            'service': {
                'description': 'The services themselves',
                'users': {
                    name: (words[name], ['admin', 'service'])
                    for name in _SERVICE_USERS
                },
            },
            'demo': {
                'description': 'An ordinary project',
                'users': {'demo': (words['demo'], ['member'])},
            },
            'alt': {
                'description': 'Another ordinary project',
                'users': {'alt': (words['alt'], ['member'])},
            },
        },
        'endpoints': [
            (kind, name, url)
            for (kind, name), url in configs.endpoints(box).items()
        ],
    }


def compute(started):
    """Flavors, and what to wait for.

    :param started: ``{Nova binary: seconds since 1970}``, of those that
        have not reported yet.
    """
    return {'cloud': ADMIN_CLOUD, 'flavors': FLAVORS, 'await': started}
