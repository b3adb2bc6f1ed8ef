# SPDX-License-Identifier: Apache-2.0
"""What the user chose, remembered in the state directory."""

import dataclasses
import json
import re

from devstack.onebox.errors import BoxError

RELEASES = ('2025.1', '2025.2', '2026.1', '2026.2')
NEWEST = RELEASES[-1]
OUR_DRIVER = 'newos.NewosLibvirtDriver'
PORT_BASE = 17000
# Names in clouds.yaml.
ADMIN_CLOUD = 'onebox-admin'
USER_CLOUD = 'onebox'
OTHER_CLOUD = 'onebox-alt'

_SERVICES = (
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova-api',
    'rabbitmq',
    'rabbitmq-dist',
    'epmd',
    'nova-novncproxy',
)
_OVERRIDE = re.compile(r'([A-Za-z0-9_-]+)\.([A-Za-z0-9_]+)=(.*)', re.DOTALL)
_DRIVER = re.compile(r'[A-Za-z_]\w*(\.[A-Za-z_]\w*)+')


@dataclasses.dataclass(frozen=True)
class Settings:
    """The choices of one box.

    :param release: one of RELEASES; fixed when the box is first made.
    :param compute_driver: Nova's ``[DEFAULT] compute_driver``.
    :param port_base: first of the box's TCP ports on 127.0.0.1.
    :param overrides: ``{'group.option': 'value'}`` for Nova's files.
    """

    release: str = NEWEST
    compute_driver: str = OUR_DRIVER
    port_base: int = PORT_BASE
    overrides: dict = dataclasses.field(default_factory=dict)

    @property
    def ours(self):
        """Whether the compute driver is the one of this repository."""
        return self.compute_driver.startswith('newos.')

    @property
    def ports(self):
        """Port numbers by service name."""
        return {
            name: self.port_base + offset
            for offset, name in enumerate(_SERVICES)
        }

    @property
    def console_ports(self):
        """First and last port of the guests' serial consoles."""
        return self.port_base + 100, self.port_base + 299

    @property
    def display_ports(self):
        """First and last port of the guests' VNC displays."""
        return self.port_base + 300, self.port_base + 499

    def grouped_overrides(self):
        """The overrides as ``{group: {option: value}}``."""
        grouped = {}
        for name, value in self.overrides.items():
            group, option = name.split('.', 1)
            grouped.setdefault(group, {})[option] = value
        return grouped


def parse_override(text):
    """Split ``group.option=value``.

    :returns: (``'group.option'``, value).
    :raises BoxError: when the text has another form.
    """
    match = _OVERRIDE.fullmatch(text)
    if not match or '\n' in text:
        raise BoxError(
            f'--set {text!r}: write it as group.option=value, '
            'for example --set libvirt.images_type=raw'
        )
    group, option, value = match.groups()
    return f'{group}.{option}', value


def merge(
    remembered, release=None, compute_driver=None, port_base=None, overrides=()
):
    """Settings for this ``up``: what was remembered, then what is given.

    :param remembered: Settings of the existing box, or None.
    :param overrides: texts given to ``--set``; an empty value forgets
        the option.
    :raises BoxError: for a choice that cannot be had.
    """
    settings = remembered or Settings()
    if release is not None:
        if release not in RELEASES:
            raise BoxError(
                f'unknown release {release!r}: choose one of '
                + ', '.join(RELEASES)
            )
        if remembered and release != remembered.release:
            raise BoxError(
                f'this box holds OpenStack {remembered.release}; for '
                f"{release} give another --state, or 'box wipe' first"
            )
        settings = dataclasses.replace(settings, release=release)
    if compute_driver is not None:
        if not _DRIVER.fullmatch(compute_driver):
            raise BoxError(
                f'--compute-driver {compute_driver!r}: write it as Nova '
                'does, for example libvirt.LibvirtDriver'
            )
        settings = dataclasses.replace(settings, compute_driver=compute_driver)
    if port_base is not None:
        if not 1024 <= port_base <= 32000:
            raise BoxError(f'--port-base {port_base}: choose 1024 to 32000')
        settings = dataclasses.replace(settings, port_base=port_base)
    merged = dict(settings.overrides)
    for name, value in map(parse_override, overrides):
        merged.pop(name, None)
        if value:
            merged[name] = value
    return dataclasses.replace(settings, overrides=merged)


def load(path):
    """Read settings back.

    :returns: Settings, or None when there are none.
    :raises BoxError: when the file is damaged.
    """
    try:
        return Settings(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as exc:
        raise BoxError(
            f'{path} is damaged ({exc}): remove that file to '
            "start from defaults, or 'box wipe'"
        ) from exc


def dump(settings):
    """The text to remember settings by."""
    return json.dumps(dataclasses.asdict(settings), indent=2) + '\n'
