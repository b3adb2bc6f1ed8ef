# SPDX-License-Identifier: Apache-2.0
"""Which starts of an install server boot the installer.

The first one after a spawn or rebuild does, and the reboots that the guest
makes itself in that run. At any other start the install ISO is attached and
not in the boot order: firmware that does not find the installed system, for
its variables are lost, would install over it.

There are two exceptions: a root disk that was never written to, and an owner
who asks for it.
"""

import contextlib
import contextvars
import functools
import pathlib

from lxml import etree
from nova.virt.libvirt import utils as libvirt_utils
from oslo_log import log as logging

from nova_newos import exception
from nova_newos.virt import owner

LOG = logging.getLogger(__name__)

#: Key of the server's metadata by which its owner asks for one start.
ASK = 'newos_boot'
_INSTALLER = 'installer'

#: Key of the server's metadata that says what its last start was.
ORDER = 'newos_boot_order'
_ORDERS = {
    True: 'disk, then installer',
    False: 'disk alone; to start the installer once more: '
    f'openstack server set --property {ASK}={_INSTALLER} SERVER, and reboot',
}

_under_way = contextvars.ContextVar('nova_newos_start', default=None)


def boots_installer():
    """Whether the domain that Nova describes is to boot the install ISO.

    False where no start is under way.
    """
    start = _under_way.get()
    return start is not None and start.boots_installer


def is_asked(metadata):
    """Whether the owner asks for a start of the installer.

    :param metadata: of the server, str to str
    :raises MetadataInvalid: when something else is asked for
    """
    value = metadata.get(ASK)
    if value not in (None, _INSTALLER):
        raise exception.MetadataInvalid(
            name=ASK, value=value, expected=f"'{_INSTALLER}'"
        )
    return value is not None


class Start:
    """One start of an install server."""

    def __init__(self, server, is_blank, is_first=False):
        """Nothing is asked yet: at some starts the disk is not here yet.

        :param server: a :class:`~nova_newos.virt.server.InstallServer`
        :param is_blank: called without arguments; returns whether the root
            disk was never written to
        :param is_first: whether the server was just spawned or rebuilt
        """
        self._instance = server.instance
        self._is_blank = is_blank
        self._is_first = is_first

    @functools.cached_property
    def boots_installer(self):
        """Whether the install ISO is in the boot order.

        :raises MetadataInvalid: see :func:`is_asked`
        """
        is_asked_for = is_asked(self._instance.metadata)
        boots = is_asked_for or self._is_first or self._is_blank()
        LOG.info(
            'Boot order of this start: %s',
            _ORDERS[boots],
            instance=self._instance,
        )
        return boots

    @contextlib.contextmanager
    def under_way(self, is_started=True):
        """Have Nova describe the domain as one of this start.

        :param is_started: whether Nova also starts it; what the owner has
            asked for is kept for later otherwise
        """
        token = _under_way.set(self)
        try:
            yield
        finally:
            _under_way.reset(token)
        if is_started:
            self.tell()

    def tell(self):
        """Tell the owner what it was, and take back what was asked for."""
        owner.tell(
            self._instance,
            {
                ORDER: _ORDERS[self.boots_installer],
                ASK: None,
                owner.ERROR: None,
            },
        )

    def applied(self, xml):
        """The description of a domain with the boot order of this start.

        For domains that Nova starts as they were described before.

        :param xml: str, as libvirt or Nova has written it
        :returns: str
        """
        domain = etree.fromstring(xml)
        system = domain.find('os')
        cdrom = system.find("boot[@dev='cdrom']")
        if self.boots_installer and cdrom is None:
            disk = system.find("boot[@dev='hd']")
            disk.addnext(etree.Element('boot', dev='cdrom'))
        elif cdrom is not None and not self.boots_installer:
            system.remove(cdrom)
        return etree.tostring(domain, encoding='unicode')


def kept_description(instance):
    """Path of what ``LibvirtDriver.rescue`` keeps for the unrescue."""
    directory = libvirt_utils.get_instance_path(instance)
    return pathlib.Path(directory, 'unrescue.xml')
