# SPDX-License-Identifier: Apache-2.0
"""Why an image is not sealed, not said to be golden, or not signed.

As :mod:`nova_newos.exception`, whose limits hold here too.
"""

from nova_newos import exception


class SealerLoadError(exception.NewosError):
    """An entry of ``[newos] sealers`` cannot be used."""

    msg_fmt = (
        "sealer '{name}' of [newos] sealers cannot be used, entry point "
        '{entry_point} in namespace nova_newos.sealers: {reason}'
    )


class SysprepOperationUnknown(exception.NewosError):
    """virt-sysprep on this host has no such operation."""

    msg_fmt = (
        '[newos] sysprep_operations lists {names!s:.55}, which cannot be '
        'used here: choose from virt-sysprep --list-operations, without '
        'customize and script'
    )


class ApplianceToolMissing(exception.NewosError):
    """A command that inspects disks is not installed."""

    msg_fmt = (
        '{tool!s:.40} is not installed on the compute host: ask the operator '
        'to install {package!s:.40}, or take the image without sealing'
    )


class SealNotAllowed(exception.NewosError):
    """The operator has no image sealed, and the owner asks for it."""

    msg_fmt = (
        'no image is sealed here ([newos] seal=never of the operator): set '
        "newos_seal=false in the server's metadata"
    )


class KeepAnswersNotAllowed(exception.NewosError):
    """The owner asks for what the operator does not want in images."""

    msg_fmt = (
        "the operator does not have installers' answers kept: openstack "
        'server unset --property newos_keep_answers SERVER'
    )


class SealRequired(exception.NewosError):
    """The operator has all images sealed, and the owner does not want it."""

    msg_fmt = (
        'all images are sealed here ([newos] seal=require of the operator): '
        "set newos_seal=true in the server's metadata"
    )


class SealBusy(exception.NewosError):
    """As many disks are sealed on the host as the operator allows."""

    msg_fmt = (
        'this host is sealing or inspecting {count} other images, as many as '
        '[newos] seal_concurrency allows: try again in some minutes'
    )


class SealFailed(exception.NewosError):
    """A disk could not be sealed or inspected."""

    msg_fmt = (
        'the disk could not be sealed, {tool!s:.16}: {reason!s:.78}; repair '
        'that (more in the log of nova-compute), or do not seal'
    )


class GuestFileSystemBroken(exception.NewosError):
    """A file system of the guest does not mount, and may hide anything."""

    msg_fmt = (
        '{point} of the guest ({device}) cannot be mounted: {reason!s:.50}; '
        'repair its file system or fstab in the server, or do not seal'
    )


class GuestFileSystemUnsupported(exception.NewosError):
    """The appliance has no module for a file system of the guest."""

    msg_fmt = (
        '{point} of the guest ({device}) cannot be mounted by the host: '
        '{reason!s:.46}; ask the operator for its kernel module, or do not '
        'seal'
    )


class SealTimedOut(SealFailed):
    """The appliance had all the time that the operator allows."""


class WindowsNotGeneralized(exception.NewosError):
    """Only Windows' own Sysprep can seal it, from inside."""

    msg_fmt = (
        'the installed Windows is not generalized ({state!s:.45}): run its '
        '"sysprep /generalize /oobe /shutdown" in the server, then take the '
        'image, or do not seal'
    )


class SealNoRoom(exception.HostError):
    """The compute host ran out of room while a disk was sealed."""

    hidden = {'path': 'its directory of snapshots'}
    msg_fmt = (
        'the compute host has no room left in {path!s:.78} to seal the disk: '
        'ask the operator to free some, then take the image again'
    )


class VerdictRefused(exception.NewosError):
    """What ``[newos] refuse`` asks for is not so."""

    msg_fmt = (
        'not true of the disk, and the operator insists on it: '
        '{facts!s:.80}; correct the installation, then take the image again'
    )


class SigningKeyUnusable(exception.NewosError):
    """``[newos] signing_key`` names nothing that can be signed with."""

    hidden = {'path': 'the key'}
    msg_fmt = (
        '[newos] signing_key={path!s:.50} cannot be used ({reason!s:.46}): '
        'name an Ed25519 key in PEM that only nova-compute reads'
    )


class StatementTooLong(exception.NewosError):
    """There is more to sign than fits into properties of an image."""

    msg_fmt = (
        'what is to be signed of the image takes {length} characters, too '
        'many: ask the operator to enable fewer media or sealers'
    )


class SignatureUnreadable(exception.NewosError):
    """What an image carries as a signature is none."""

    msg_fmt = (
        'the signature cannot be read: {reason!s:.60}; take the image again'
    )


class TrustedKeyUnusable(exception.NewosError):
    """A file of those that are trusted has no key."""

    msg_fmt = (
        '{file!s:.70} cannot be used ({reason!s:.30}): name an Ed25519 public '
        'key in PEM, or a directory of such *.pem'
    )


class NotAttestable(exception.NewosError):
    """An image that no compute host has said anything of."""

    msg_fmt = (
        'image {image_id!s:.40} cannot be attested: {reason!s:.70}; take the '
        'image of an install server on a host that signs'
    )
