# SPDX-License-Identifier: Apache-2.0
"""What the registry refuses."""

from nova_newos import exception


class FamilyNameInvalid(exception.NewosError):
    """A family cannot be called so."""

    msg_fmt = 'no family can be called {family!r:.80}: it {reason}'


class FamilyNotFound(exception.NewosError):
    """No image of the project is a version of it."""

    msg_fmt = (
        'there is no family {family!r}: see "openstack golden family list", '
        'with --owner for one of another project'
    )


class FamilyRetired(exception.NewosError):
    """None of its versions is visible."""

    msg_fmt = (
        'the family {family!r} has no visible version: publish one, or name '
        'one of "openstack golden family show"'
    )


class ImageNotFound(exception.NewosError):
    """A name that leads to no image, or to several."""

    msg_fmt = (
        '{count} images are called {name!r:.80}: give the ID of one, as '
        '"openstack image list" has it, or "golden family show"'
    )


class VersionNotFound(exception.NewosError):
    """The image is no version of the family."""

    msg_fmt = (
        'the image {image} is no version of {family!r}: choose one of '
        '"openstack golden family show"'
    )


class NoFormerVersion(exception.NewosError):
    """There is nothing to roll back to."""

    msg_fmt = (
        '{family!r} has no older version that is active and not revoked: '
        'publish another image'
    )


class ImageNotReady(exception.NewosError):
    """The image has no bytes yet, or no more, or is deactivated."""

    msg_fmt = 'the image {image} is {status}: it has to be active'


class ImageRevoked(exception.NewosError):
    """Somebody has said why nobody is to boot it."""

    msg_fmt = (
        'the image {image} is revoked ({reason!r:.80}): choose another, or '
        'unset its property golden_revoked'
    )


class ImageOfOtherFamily(exception.NewosError):
    """An image is a version of one family."""

    msg_fmt = (
        'the image {image} is a version of {family!r} already: copy it, or '
        'publish another one'
    )


class NameTaken(exception.NewosError):
    """Another image has the name that the family is found by."""

    msg_fmt = (
        'the image {image} is called {family!r} and is none of that family: '
        'publish it first, so that it becomes a version, or rename it'
    )


class FactInvalid(exception.NewosError):
    """A value that SCS-0102 does not know."""

    msg_fmt = '{name} cannot be {value!r:.40}: give {expected}'


class StillProvided(exception.NewosError):
    """The family was promised for longer."""

    msg_fmt = (
        '{family!r} is to be provided until {until} (provided_until): wait, '
        'change that, or use --force'
    )


class IsCurrent(exception.NewosError):
    """The stable name would lead to an image that does not boot."""

    msg_fmt = (
        'the image {image} is what {family!r} stands for: publish another '
        'version or roll back, or retire the family, then revoke it'
    )


class DeactivationForbidden(exception.NewosError):
    """The cloud's policy leaves deactivation to others."""

    msg_fmt = (
        'you may not deactivate the image {image} here ({reason!s:.80}): ask '
        'an administrator to, or use --hide to mark and hide it meanwhile'
    )


class CopyDamaged(exception.NewosError):
    """What arrived is not what was sent."""

    msg_fmt = (
        'the copy {copy} does not have the digest of {image}: it was deleted; '
        'copy again'
    )


class CopyUnverifiable(exception.NewosError):
    """The two clouds hash with different algorithms, or one does not."""

    msg_fmt = (
        'the digest of the image {image} ({algorithm}) cannot be compared '
        'with that of its copy ({other}): have both Glances use one '
        'hashing_algorithm'
    )


class CopyBusy(exception.NewosError):
    """Another client is uploading it."""

    msg_fmt = (
        'the copy {copy} is {status}: another client is at it; wait, or '
        'delete it and copy again'
    )


class CopyCut(exception.NewosError):
    """The source has not gone on."""

    msg_fmt = (
        'the download of the image {image} broke off at byte {offset} and '
        'does not go on ({reason!s:.80}): copy again'
    )
