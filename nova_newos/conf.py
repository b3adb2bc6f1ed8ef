# SPDX-License-Identifier: Apache-2.0
"""The ``[newos]`` group of nova.conf."""

from oslo_config import cfg

newos_group = cfg.OptGroup(
    'newos',
    title='Installing servers from installer ISOs',
    help="""
An *install server* is created from an image with ``disk_format=iso``. It gets
a blank root disk, the ISO as its first CD-ROM and further CD-ROMs from media
plug-ins. These options are read by nova-compute.
""",
)

newos_opts = [
    cfg.IntOpt(
        'root_disk_size',
        min=1,
        help="""
Size in GiB of the blank root disk of an install server.

It holds for images without the property ``newos_root_disk_size``, is raised
to the image's ``min_disk`` and is never more than the flavor's root disk. When
unset, the flavor's root disk gives the size.

Related: the image property ``newos_root_disk_size``.
""",
    ),
    cfg.StrOpt(
        'virtio_image_id',
        help="""
UUID of the Glance image with virtio drivers that install servers get as their
second CD-ROM.

The image must be active, of disk format iso and readable by the projects that
install servers (public, say). When unset, or ``none``, there is no such CD-ROM
unless the install ISO names one.

Related: the image property ``newos_virtio_image_id``, which wins over this
option; ``[newos] media``, which must list ``virtio``.
""",
    ),
    cfg.ListOpt(
        'media',
        default=['virtio', 'answers'],
        help="""
Media plug-ins that may give install servers further CD-ROMs, in the order of
the CD-ROMs.

Each is the name of an entry point in the namespace ``nova_newos.media``.
nova-compute does not start if one of them cannot be loaded. ``virtio`` is the
driver ISO; ``answers`` is made of a server's user data when that is answers
for an installer.
""",
    ),
    cfg.StrOpt(
        'capture_compression',
        default='zstd',
        choices=[
            (
                'none',
                'What Nova makes of an ordinary server: the format of the '
                'disk, compressed if ``[libvirt] snapshot_compression`` says '
                'so',
            ),
            ('zlib', 'qcow2 that QEMU of any version reads; slow to make'),
            ('zstd', 'qcow2 that QEMU 5.1 and newer reads; quick to make'),
        ],
        help="""
How images of install servers are compressed: golden images, backups and what
is shelved.

Compressed images have the disk format qcow2, on hosts that keep disks as raw
files too. An explicit ``[libvirt] snapshot_image_format`` other than qcow2
wins and is not compressed.
""",
    ),
]


def register_opts(conf):
    """Register the group and its options.

    :param conf: an ``oslo_config.cfg.ConfigOpts``; Nova's own, in
        nova-compute
    """
    conf.register_group(newos_group)
    conf.register_opts(newos_opts, group=newos_group)


def list_opts():
    """Options for the oslo.config generator."""
    return [(newos_group, newos_opts)]
