# SPDX-License-Identifier: Apache-2.0
"""What nova-newos refuses, as types.

Every error says what to change, and says it in 190 characters: Nova cuts a
fault at 255 and puts the server's id before it. The errors here know nothing
of Nova, so that the core can be used without it;
:mod:`nova_newos.virt.exception` turns them into the exceptions that Nova shows
to the user.
"""

from collections.abc import Mapping

_DESTINATION = {'host': 'the destination'}


class NewosError(Exception):
    """Base of all errors of nova-newos.

    A subclass sets ``msg_fmt``, a :meth:`str.format` template over the
    keyword arguments it is raised with. The arguments are also attributes of
    the error. What of them only the operator is to know, such as names of
    hosts and paths, has another value in ``hidden``.
    """

    msg_fmt = 'nova-newos failed'
    hidden: Mapping[str, str] = {}

    def __init__(self, **kwargs: object) -> None:
        super().__init__(self.msg_fmt.format(**kwargs))
        self.__dict__.update(kwargs)
        self._arguments = kwargs

    def public(self) -> str:
        """The text without what is the operator's."""
        return self.msg_fmt.format(**self._arguments | self.hidden)


class HostError(NewosError):
    """What is wrong with this host, not with the request."""


class PropertyInvalid(NewosError):
    """An image property of ours has a value that means nothing."""

    msg_fmt = "image property {name}='{value!s:.40}' is not {expected}"


class MetadataInvalid(NewosError):
    """A key of ours in the server's metadata has no meaningful value."""

    msg_fmt = (
        "metadata {name}='{value!s:.40}' of the server is not {expected}: "
        'openstack server set --property {name}=VALUE SERVER'
    )


class RootDiskSizeMissing(NewosError):
    """Neither image, configuration nor flavor gives a root disk size."""

    msg_fmt = (
        'no size for the root disk: use a flavor with a root disk, or set '
        'newos_root_disk_size (GiB) on the image, or [newos] root_disk_size'
    )


class RootDiskTooLarge(NewosError):
    """The image asks for a larger root disk than the flavor pays for."""

    msg_fmt = (
        'image property newos_root_disk_size={size} is larger than the '
        "flavor's root disk of {flavor_gb} GiB: use a larger flavor or a "
        'smaller size'
    )


class VolumeRootRefused(NewosError):
    """An install ISO was asked to boot as a volume."""

    msg_fmt = (
        'an installer ISO cannot be installed onto a volume: create the '
        'server without a new volume, or set newos_install=false on the '
        'image to boot the ISO itself'
    )


class FinishRefused(NewosError):
    """An installer that goes on after a reboot would be stopped by it."""

    msg_fmt = (
        'Windows Setup reboots before it is done: remove newos_finish=reboot '
        'from server and image, and end the answer file with a shutdown'
    )


class InstallerWouldRepeat(NewosError):
    """Nothing would stop it from installing again at its own reboots."""

    msg_fmt = (
        'newos_boot=installer is not for this server: its install ISO was '
        'changed to ask for no key, and would install again at each reboot. '
        'Take newos_boot away, and rebuild the server instead'
    )


class BootKeysRefused(NewosError):
    """What is to be typed into the boot menu cannot be typed."""

    msg_fmt = (
        'newos_boot_keys of the {source} cannot be typed: {reason!s:.120}'
    )


class BootKeysOff(NewosError):
    """The operator has no keys typed, and the installer is to have some."""

    msg_fmt = (
        'no boot keys are typed here ([newos] boot_keys_timeout=0 of the '
        'operator): create the server with an empty newos_boot_keys in its '
        'metadata'
    )


class BusUnavailable(NewosError):
    """The machine type has no such bus."""

    msg_fmt = (
        "machine type '{machine}' has no {bus} bus: set {name} on the image "
        'to one of {choices}'
    )


class BusUnsuitable(NewosError):
    """The device cannot be on such a bus, on any machine."""

    msg_fmt = (
        'a {device} cannot be on the {bus} bus: set {name} on the image to '
        'one of {choices}'
    )


class BusFull(NewosError):
    """More devices than the bus has places for."""

    msg_fmt = (
        'disk on {disk_bus} and {cdroms} CD-ROMs on {cdrom_bus} do not fit: '
        'set hw_cdrom_bus to sata or scsi on the image, or use fewer CD-ROMs '
        'or local disks'
    )


class ImageIdInvalid(NewosError):
    """What should be the id of a Glance image is no UUID."""

    msg_fmt = (
        "{source} must be the UUID of an image or 'none', not '{value!s:.40}'"
    )


class MediumImageRefused(NewosError):
    """The image of a medium cannot be attached to this server."""

    msg_fmt = (
        "image {image_id} for CD-ROM '{medium}' {reason}: name an active iso "
        "image that the server's project can read"
    )


class MediumTooLarge(NewosError):
    """The image of a medium takes more room than the operator gives."""

    msg_fmt = (
        "image {image_id} for CD-ROM '{medium}' is larger than "
        '[newos] media_max_size={limit} (GiB): name a smaller ISO, or ask '
        'the operator'
    )


class AnswersUnreadable(NewosError):
    """User data that is clearly meant as answers, and is broken."""

    msg_fmt = (
        'the user data is meant as {kind} but cannot be read '
        '({reason!s:.60}): correct it, or create the server without it'
    )


class AnswerArchiveRefused(NewosError):
    """An archive of answers has what is not put onto a CD-ROM."""

    msg_fmt = 'the archive in the user data {problem}: pack {wanted}'


class AnswersAmbiguous(NewosError):
    """Answer files for installers that look for different labels."""

    msg_fmt = (
        'the user data has answer files for CD-ROMs labelled {labels}, and a '
        'CD-ROM has one label: pack those of one installer'
    )


class AnswersChanged(NewosError):
    """The user data is not what the answer CD was decided by."""

    msg_fmt = (
        'the answer CD was made from user data with sha256 {expected:.16}..., '
        'and the server has other user data now: rebuild the server, or '
        'restore its user data'
    )


class MediumLoadError(NewosError):
    """An entry of ``[newos] media`` cannot be used."""

    msg_fmt = (
        "medium '{name}' of [newos] media cannot be used, entry point "
        '{entry_point} in namespace nova_newos.media: {reason}'
    )


class LayoutInvalid(NewosError):
    """What is persisted as a server's layout cannot be understood."""

    msg_fmt = (
        "system_metadata['newos_layout'] cannot be used ({reason!s:.60}): "
        "'{value!s:.60}'"
    )


class LayoutVersionUnknown(LayoutInvalid):
    """A server was last at a host with another version of nova-newos."""

    msg_fmt = (
        "the server's newos_layout has version {version!s:.20}, and "
        'nova-newos on its compute host knows version {known}: ask the '
        'operator to upgrade nova-newos there, nothing was changed'
    )


class LayoutTooLong(NewosError):
    """The layout does not fit into Nova's database column."""

    msg_fmt = (
        'the layout of the server takes {length} characters of {limit}: '
        'enable fewer media in [newos] media'
    )


class ImageContentRefused(NewosError):
    """What Glance calls an ISO is none, or is unsafe."""

    msg_fmt = (
        "image {image_id} for CD-ROM '{medium}' is no usable ISO ({reason}): "
        'upload the ISO again, with --disk-format iso'
    )


class HostDiskFull(HostError):
    """The compute host ran out of room while the disks were made."""

    hidden = {'path': 'its directory of instances'}
    msg_fmt = (
        'the compute host has no room left in {path}: use a smaller ISO, or '
        'ask the operator to free room there'
    )


class ImagesTypeUnsupported(NewosError):
    """The storage this compute node is configured for is not done yet."""

    msg_fmt = (
        "[libvirt] images_type='{images_type}' is not supported by "
        'nova-newos: use one of {choices}, or the stock driver '
        '(compute_driver = libvirt.LibvirtDriver)'
    )


class RootDiskMissing(NewosError):
    """The installed root disk is not where it should be."""

    msg_fmt = (
        'the root disk {name} does not exist on this host, and a blank one '
        'is only made for a new server: restore it, or rebuild the server'
    )


class CopyFailed(NewosError):
    """A file could not be copied from another compute host."""

    hidden = {'host': 'the other host'}
    msg_fmt = (
        '{name} could not be copied from {host}: upload the image again, or '
        'have the operator look at ssh between these hosts'
    )


class DiskFormatMismatch(NewosError):
    """A disk came here in a format that this host would not use."""

    msg_fmt = (
        'disk {name} is {found}, and this host would use it as {expected}: '
        'ask the operator for a host with the same [libvirt] images_type'
    )


class DestinationUnknown(NewosError):
    """Placement could not be asked about the host to move to."""

    hidden = _DESTINATION | {'reason': 'Placement does not say'}
    msg_fmt = (
        'it cannot be told whether {host} can keep an install server '
        '({reason!s:.60}): try again, or choose another host'
    )


class RootDiskShrinkRefused(NewosError):
    """The flavor to resize to has a smaller root disk than the server."""

    msg_fmt = (
        "the server's root disk has {size} GiB, more than the {flavor_gb} of "
        'the flavor, and cannot shrink: use a flavor with {size} GiB or more'
    )


class StockHostRefused(NewosError):
    """A server would move to a host without this driver."""

    hidden = _DESTINATION
    msg_fmt = (
        '{host} does not report the trait {trait}, so it cannot keep an '
        'install server: choose another host'
    )


class MediumMissing(NewosError):
    """A server would move to a host without the plug-in of a medium."""

    hidden = _DESTINATION
    msg_fmt = (
        "{host} has no plug-in for the server's CD-ROM '{medium}': choose "
        'another host, or ask the operator to install it there'
    )


class WrongSnapshotDisk(NewosError):
    """libvirt's first disk is not the root disk."""

    hidden = {'found': 'another one'}
    msg_fmt = (
        'the first disk of the server is {found}, not its root disk '
        '{expected}: reboot the server with --hard, then take the image again'
    )


class CaptureFailed(NewosError):
    """The root disk could not be read or its image not be written."""

    msg_fmt = (
        'no image could be made of the root disk ({reason!s:.90}): ask the '
        'operator, and take the image again'
    )


class CaptureToolFailed(CaptureFailed):
    """What a tool said, which has paths of the host in it."""

    hidden = {'reason': 'a tool failed'}


class RescueIsoRefused(NewosError):
    """A rescue that would boot the installer, Nova's default."""

    msg_fmt = (
        'an install server is not rescued with its own install ISO: reboot '
        'it with --hard, then name another image, '
        'openstack server rescue --image IMAGE SERVER'
    )


class EvacuationRefused(NewosError):
    """The root disk is on the host that failed."""

    msg_fmt = (
        'the root disk is on the failed host only, and the ISO would be '
        'installed anew: bring the host back, or delete the server and '
        'create it again'
    )
