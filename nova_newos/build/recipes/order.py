# SPDX-License-Identifier: Apache-2.0
"""What a recipe asks of one cloud: a plan, an ISO, user data, metadata."""

import dataclasses
import hashlib
import importlib.metadata
import json

from nova_newos import terminal
from nova_newos.build import plan
from nova_newos.build.recipes import answers
from nova_newos.build.recipes import exception
from nova_newos.build.recipes import words

# What Nova takes for an ISO that says nothing.
_DEFAULTS = {'hw_disk_bus': 'virtio', 'hw_firmware_type': 'bios'}
_OF_THE_ISO = {'bus': 'hw_disk_bus', 'firmware': 'hw_firmware_type'}


@dataclasses.dataclass(frozen=True)
class Order:
    """The arguments of :func:`nova_newos.build.start.create`.

    :ivar plan: a :class:`~nova_newos.build.plan.Plan`
    :ivar iso: the image of the install ISO, or an
        :class:`~nova_newos.build.iso_file.IsoFile`
    :ivar user_data: bytes, or None
    :ivar metadata: of the install server, dict of str to str
    """

    plan: plan.Plan
    iso: object
    user_data: bytes | None
    metadata: dict


def order(cloud, recipe, *, secrets, name=None, flavor=None, **options):
    """What is to be built.

    :param cloud: an ``openstack.connection.Connection``
    :param recipe: a :class:`~nova_newos.build.recipes.document.Recipe`
    :param secrets: dict of name to value, str
    :param name: of the golden image; None for the recipe's family
    :param flavor: an id; None for the smallest that the recipe allows
    :param options: ``iso``, in the place of the recipe's, see Order;
        ``metadata``, dict of str to str, which goes before the recipe's; and
        fields of the plan. None for the recipe's.
    :returns: an :class:`Order`
    :raises NewosError: for what would fail later; nothing is made then
    """
    settings = recipe.settings
    name = name or settings.get('family')
    if not name:
        raise exception.NameNeeded()
    options = {k: v for k, v in options.items() if v is not None}
    iso = options.pop('iso', None) or _find_iso(cloud, recipe.iso)
    _check_iso(iso, settings)
    metadata = {**_metadata(settings), **options.pop('metadata', {})}
    user_data = answers.user_data(recipe, secrets)
    if recipe.boot_test is not None:
        options.setdefault('boot_test', recipe.boot_test)
    return Order(
        plan.Plan(
            name=name,
            flavor=flavor or _smallest_flavor(cloud, iso, settings),
            **options,
        ),
        iso,
        user_data,
        {**metadata, words.DIGEST: digest(recipe, iso, metadata)},
    )


def digest(recipe, iso, metadata):
    """Of what a build is made, but for its secrets.

    Where and for whom it is made is left out too: flavor, network, name.

    :param iso: the image of the install ISO
    :param metadata: of the install server, as asked for
    :returns: str like ``sha256:<hexadecimal>``
    """
    made_of = recipe.as_document()
    for told in ('description', 'group', 'iso'):
        made_of.pop(told, None)
    made_of |= {
        'iso': f'{iso.hash_algo}:{iso.hash_value}',
        'metadata': metadata,
        'nova-newos': importlib.metadata.version('nova-newos'),
    }
    text = json.dumps(made_of, sort_keys=True)
    return f'sha256:{hashlib.sha256(text.encode()).hexdigest()}'


def unchanged(cloud, wanted):
    """The golden image that a build would only make again.

    :param wanted: an :class:`Order`
    :returns: the newest published image of the name, when it is of the same;
        None otherwise
    """
    newest = max(
        cloud.image.images(
            # Glance takes what is before a colon for an operator.
            name=f'eq:{wanted.plan.name}',
            owner=cloud.current_project_id,
            status='active',
        ),
        key=lambda image: image.created_at,
        default=None,
    )
    digest = wanted.metadata[words.DIGEST]
    if newest is None or newest.properties.get(words.DIGEST) != digest:
        return None
    return newest


def _find_iso(cloud, name_or_id):
    found = cloud.image.find_image(name_or_id, ignore_missing=False)
    return cloud.image.get_image(found.id)


def _check_iso(iso, settings):
    properties = iso.properties or {}
    for setting, name in _OF_THE_ISO.items():
        wanted = settings.get(setting)
        found = getattr(iso, name, None) or properties.get(name)
        if wanted not in (None, found or _DEFAULTS[name]):
            raise exception.IsoSettingsDiffer(
                name=name,
                wanted=wanted,
                iso=terminal.printable(iso.name or ''),
                # A file has none yet: it is to be such an image.
                id=getattr(iso, 'id', 'IMAGE'),
                found=terminal.printable(found or 'none'),
            )


def _metadata(settings):
    metadata = {}
    if 'seal' in settings:
        metadata['newos_seal'] = str(settings['seal']).lower()
    if 'finish' in settings:
        metadata['newos_finish'] = settings['finish']
    if 'keys' in settings:
        metadata['newos_boot_keys'] = settings['keys']
    return metadata


def _smallest_flavor(cloud, iso, settings):
    """Id of the smallest flavor that is large enough."""
    if 'ram' not in settings or 'disk' not in settings:
        raise exception.FlavorNeeded()
    vcpus = settings.get('vcpus', 1)
    ram = max(settings['ram'], iso.min_ram or 0)
    disk = max(settings['disk'], iso.min_disk or 0)
    fitting = [
        flavor
        for flavor in cloud.compute.flavors()
        if flavor.vcpus >= vcpus
        and flavor.ram >= ram
        and flavor.disk >= disk
        and not flavor.is_disabled
    ]
    if not fitting:
        raise exception.NoFlavorFits(vcpus=vcpus, ram=ram, disk=disk)
    return min(
        fitting,
        # Extra specs ask for more than is needed, devices or hosts say.
        key=lambda flavor: (
            bool(flavor.extra_specs),
            flavor.ram,
            flavor.vcpus,
            flavor.disk,
            flavor.name,
        ),
    ).id
