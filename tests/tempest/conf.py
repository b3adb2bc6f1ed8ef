# SPDX-License-Identifier: Apache-2.0
"""tempest.conf, as plain values."""

# Tempest's name of a service to its types in a catalog.
_TYPES = {
    'cinder': {'block-storage', 'volumev3'},
    'glance': {'image'},
    'neutron': {'network'},
    'nova': {'compute'},
    'swift': {'object-store'},
}
# Seconds until a server must be what it should: guests are emulated, and the
# machine may be busy.
_PATIENCE = 600


def groups(credentials, services, images, flavors, directory):
    """What describes a box to Tempest.

    :param credentials: the administrator's entry of clouds.yaml
    :param services: types of service in the cloud's catalog
    :param images: ids of two images
    :param flavors: ids of two flavors, the second the larger
    :param directory: where Tempest's locks and log go
    :returns: {group: {option: value}}
    """
    auth = credentials['auth']
    return {
        'DEFAULT': {
            'log_dir': directory,
            'log_file': 'tempest.log',
        },
        'oslo_concurrency': {'lock_path': directory / 'locks'},
        'auth': {
            'admin_username': auth['username'],
            'admin_password': auth['password'],
            'admin_project_name': auth['project_name'],
            'admin_domain_name': auth['project_domain_name'],
            'use_dynamic_credentials': True,
            # Nothing stands behind Neutron here.
            'create_isolated_networks': False,
        },
        'identity': {
            'auth_version': 'v3',
            'region': credentials['region_name'],
            'uri_v3': auth['auth_url'],
        },
        'service_available': {
            name: bool(types & services) for name, types in _TYPES.items()
        },
        'compute': {
            'image_ref': images[0],
            'image_ref_alt': images[1],
            'flavor_ref': flavors[0],
            'flavor_ref_alt': flavors[1],
            'min_microversion': '2.1',
            'max_microversion': 'latest',
            'build_timeout': _PATIENCE,
        },
        'compute-feature-enabled': {
            'hostname_fqdn_sanitization': True,
            'resize': True,
            'stable_rescue': True,
            'vnc_console': True,
            # One host, no networks, no metadata service.
            'cold_migration': False,
            'interface_attach': False,
            'live_migration': False,
            'metadata_service': False,
        },
        # Nobody can log in to a guest without a network.
        'validation': {'run_validation': False},
    }
