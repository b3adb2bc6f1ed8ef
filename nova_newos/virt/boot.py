# SPDX-License-Identifier: Apache-2.0
"""Which starts of an install server boot the installer.

The first one after a spawn or rebuild does, and the reboots that the guest
makes itself in that run. At any other start the install ISO is attached and
not in the boot order: firmware that does not find the installed system, for
its variables are lost, would install over it.

There are two exceptions: a root disk that was never written to, and an owner
who asks for the installer.

What an installer that only reboots has installed would be started at once: the
owner can have the guest's first reboot end a start that boots the installer.
"""

import contextlib
import contextvars
import enum
import functools
import pathlib

from lxml import etree
from nova.virt.libvirt import utils as libvirt_utils
from oslo_log import log as logging

from nova_newos import exception
from nova_newos import layout
from nova_newos.virt import owner
from nova_newos.virt import prompt

LOG = logging.getLogger(__name__)

#: Key of the server's metadata by which its owner asks for one start.
ASK = 'newos_boot'
_INSTALLER = 'installer'

#: Key of the server's metadata, or property of the install ISO, that says
#: what ends the installer's run.
FINISH = 'newos_finish'
REBOOT = 'reboot'
_FINISHES = ('power-off', REBOOT)

#: Key of the server's metadata that says what its last start was.
ORDER = 'newos_boot_order'

_under_way = contextvars.ContextVar('nova_newos_start', default=None)


class Order(enum.Enum):
    """What firmware tries, in libvirt's names of devices."""

    DISK = ('hd',)
    #: A blank disk falls through to the installer; one that it has installed
    #: on boots when it reboots the guest.
    DISK_FIRST = ('hd', 'cdrom')
    #: A disk on which an installation was broken off may look bootable.
    INSTALLER_FIRST = ('cdrom', 'hd')

    @property
    def iso_index(self):
        """The ISO's ``boot_index`` beside the root disk's, which is 1."""
        return {'DISK_FIRST': 2, 'INSTALLER_FIRST': 0}.get(self.name)


_TEXTS = {
    Order.DISK: 'disk alone; to start the installer once more: '
    f'openstack server set --property {ASK}={_INSTALLER} SERVER, and reboot',
    Order.DISK_FIRST: 'disk, then installer',
    Order.INSTALLER_FIRST: 'installer, then disk',
}


def order():
    """The :class:`Order` of a domain that Nova describes now."""
    start = _under_way.get()
    return Order.DISK if start is None else start.order


def ends_at_reboot():
    """Whether the guest's reboot ends the domain that Nova describes now."""
    start = _under_way.get()
    return start is not None and start.ends_at_reboot


def check_start(instance):
    """Refuse what an owner cannot ask for a start; see :func:`check`.

    :raises InstallerWouldRepeat: for an installer that asks for no key any
        more, and so would start again whenever it reboots the guest
    """
    check(instance)
    if ASK in instance.metadata and prompt.is_skipped(instance):
        raise exception.InstallerWouldRepeat()


def check(instance):
    """Refuse what an owner cannot ask for.

    Only where nothing has been done yet: to a start that comes with a
    migration or the host's own boot, nonsense is as if nothing was asked for.

    :param instance: a ``nova.objects.Instance``
    :raises MetadataInvalid: for anything but the installer, or a finish that
        there is not
    :raises PropertyInvalid: for such a finish among the image's properties
    """
    value = instance.metadata.get(ASK, _INSTALLER)
    if value != _INSTALLER:
        raise exception.MetadataInvalid(
            name=ASK, value=value, expected=f"'{_INSTALLER}'"
        )
    for found, error in (
        (instance.metadata, exception.MetadataInvalid),
        (_properties(instance), exception.PropertyInvalid),
    ):
        value = found.get(FINISH, REBOOT)
        if value not in _FINISHES:
            raise error(
                name=FINISH, value=value, expected=' or '.join(_FINISHES)
            )


def finishes_by_reboot(instance):
    """Whether the installer's first reboot ends its run.

    :param instance: a ``nova.objects.Instance``; its metadata comes before
        the properties of its image
    """
    found = _properties(instance) | instance.metadata
    return found.get(FINISH) == REBOOT


def _properties(instance):
    return layout.image_properties(instance.system_metadata)


class Start:
    """One start of an install server."""

    def __init__(self, server, is_blank, is_first=False):
        """Nothing is asked yet: at some starts the disk is not here yet.

        :param server: a :class:`~nova_newos.virt.server.InstallServer` with
            its CD-ROMs
        :param is_blank: called without arguments; returns whether the root
            disk was never written to
        :param is_first: whether the server was just spawned or rebuilt
        """
        self._instance = server.instance
        self._is_blank = is_blank
        self._is_first = is_first
        # It may be there where nobody could be told that it is refused.
        self._is_asked_for = server.instance.metadata.get(
            ASK
        ) == _INSTALLER and not prompt.is_skipped(server.instance)

    @functools.cached_property
    def order(self):
        """The :class:`Order`, decided once: Nova asks several times."""
        found = self._order()
        LOG.info(
            'Boot order of this start: %s',
            _TEXTS[found],
            instance=self._instance,
        )
        return found

    def _order(self):
        # What is blank has nothing that could be in the installer's way.
        if self._is_first or self._is_blank():
            return Order.DISK_FIRST
        return Order.INSTALLER_FIRST if self._is_asked_for else Order.DISK

    @property
    def ends_at_reboot(self):
        """Whether it boots an installer, whose reboot ends the domain."""
        return self.order is not Order.DISK and finishes_by_reboot(
            self._instance
        )

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
        told = {ORDER: _TEXTS[self.order], owner.ERROR: None}
        if self._is_asked_for:
            told[ASK] = None
        owner.tell(self._instance, told)

    def applied(self, xml):
        """The description of a domain with the boot order of this start.

        For domains that Nova starts as they were described before.

        :param xml: str, as libvirt or Nova has written it
        :returns: str
        """
        domain = etree.fromstring(xml)
        system = domain.find('os')
        before = system.findall('boot')
        at = system.index(before[0])
        for boot in before:
            system.remove(boot)
        system[at:at] = [
            etree.Element('boot', dev=device) for device in self.order.value
        ]
        for action in domain.findall('on_reboot'):
            domain.remove(action)
        if self.ends_at_reboot:
            etree.SubElement(domain, 'on_reboot').text = 'destroy'
        return etree.tostring(domain, encoding='unicode')


def kept_description(instance):
    """Path of what ``LibvirtDriver.rescue`` keeps for the unrescue."""
    directory = libvirt_utils.get_instance_path(instance)
    return pathlib.Path(directory, 'unrescue.xml')
