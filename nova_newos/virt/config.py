# SPDX-License-Identifier: Apache-2.0
"""libvirt's description of an install server and its disks."""

import os

import nova.conf
from nova.virt.libvirt import config as vconfig

from nova_newos import layout

CONF = nova.conf.CONF


class LibvirtConfigInstaller(vconfig.LibvirtConfigGuest):
    """A guest whose reboot ends it."""

    @classmethod
    def of(cls, conf):
        """The same guest as one of this class."""
        guest = cls()
        vars(guest).update(vars(conf))
        return guest

    def format_dom(self):
        """The XML element, with what Nova's class has no field for."""
        dom = super().format_dom()
        # Nova sees a guest that has powered off.
        dom.append(self._text_node('on_reboot', 'destroy'))
        return dom


class LibvirtConfigRootDisk(vconfig.LibvirtConfigGuestDisk):
    """A disk that gives the room of zeroed blocks back to the host.

    An installer that wipes the disk, or a guest that trims, leaves the file
    sparse; this is what keeps golden images small. An operator who takes the
    room at once, or decides on discards otherwise, has it so.
    """

    @classmethod
    def of(cls, conf):
        """The same disk as one of this class."""
        disk = cls()
        vars(disk).update(vars(conf))
        if CONF.preallocate_images == 'none':
            disk.driver_discard = disk.driver_discard or 'unmap'
        return disk

    def format_dom(self):
        """The XML element, with what Nova's class has no field for."""
        dom = super().format_dom()
        if self.driver_discard == 'unmap':
            dom.find('driver').set('detect_zeroes', 'unmap')
        return dom


class LibvirtConfigCdrom(vconfig.LibvirtConfigGuestDisk):
    """A CD-ROM drive that a server can do without the medium of.

    When the medium, or what is below it, cannot be had any more, the server
    starts all the same and the drive is empty.
    """

    @classmethod
    def of(cls, conf):
        """The same disk as one of this class."""
        cdrom = cls()
        vars(cdrom).update(vars(conf))
        cdrom.is_empty = not os.path.exists(conf.source_path)
        return cdrom

    def format_dom(self):
        """The XML element, with what Nova's class has no field for."""
        dom = super().format_dom()
        source = dom.find('source')
        if self.is_empty:
            # Nova looks into every file that a domain names.
            dom.remove(source)
        else:
            source.set('startupPolicy', 'optional')
        return dom


def insert(devices, disk_mapping, root, cdroms):
    """Put root disk and further CD-ROMs beside the install ISO.

    :param devices: as ``LibvirtDriver._get_guest_storage_config`` returns
        them; changed in place
    :param root: the root disk's configuration
    :param cdroms: configurations of the CD-ROMs after the ISO, in order
    """
    iso = next(
        index
        for index, device in enumerate(devices)
        if getattr(device, 'target_dev', None)
        == disk_mapping[layout.STOCK_ROOT]['dev']
    )
    devices[iso + 1 : iso + 1] = cdroms
    devices.insert(0, root)
    _number_units(devices)


def _number_units(devices):
    """Number the LUNs in the order of the devices, so that the root is 0."""
    unit = 0
    for device in devices:
        address = getattr(device, 'device_addr', None)
        if isinstance(device, vconfig.LibvirtConfigGuestDisk) and address:
            address.unit = unit
            unit += 1
