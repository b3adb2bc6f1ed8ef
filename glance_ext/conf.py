# SPDX-License-Identifier: Apache-2.0
"""The ``[newos_iso]`` and ``[newos_appliance]`` groups of glance-api.conf."""

from oslo_config import cfg
from oslo_config import types

newos_iso_group = cfg.OptGroup(
    'newos_iso',
    title='What an uploaded ISO is',
    help="""
ISOs that are uploaded or imported are looked at, and get image properties that
say what they are. These options are read by glance-api, where the import
plug-in ``newos_iso`` or the paste filter of that name is enabled.
""",
)

newos_iso_opts = [
    cfg.StrOpt(
        'database',
        default='/usr/share/osinfo',
        help="""
The libosinfo database: its directory, or an archive of it as the project
osinfo-db publishes it (``.tar.xz``).

It knows the ISOs of operating systems that were released before it was. An
empty value does without it: ISOs then get what they say about themselves
(``newos_boot``, ``newos_volume_id``), and not which system they install.
""",
    ),
    cfg.ListOpt(
        'minimums',
        default=[],
        item_type=types.String(choices=('ram', 'disk')),
        help="""
Which of its minimums an image gets, as the database knows what its system
needs at least: ``ram`` for ``min_ram``, ``disk`` for ``min_disk``.

By default none: the other services hold against any use of the image what only
the installed system needs. Nova refuses smaller flavors, even if the
installation would work, and Cinder refuses smaller volumes, so that with
``disk`` a volume of the ISO, which needs but the size of the ISO, has to be as
large as the installed system. In return, Nova's ``[newos] root_disk_size`` is
raised to ``min_disk``.

Images with ``newos_install=false`` get none. What the user has set stays, but
for 0, which is what Glance has for nothing.
""",
    ),
    cfg.ListOpt(
        'refuse',
        default=[],
        item_type=types.String(choices=('not_iso', 'not_bootable', 'unknown')),
        help="""
What an image of disk format iso must not be. Its upload or import ends with an
error that says why, and the image is queued again, without data.

* ``not_iso``: something else than an ISO 9660 or UDF file system
* ``not_bootable``: an ISO that neither BIOS nor UEFI can boot from, which a
  driver ISO is as well
* ``unknown``: an ISO that the database does not know

Images that have ``newos_install=false`` when they are uploaded are not meant
to be installed from: the last two do not concern them. What could not be
found out, because the database cannot be read, say, is never refused.
""",
    ),
]

newos_appliance_group = cfg.OptGroup(
    'newos_appliance',
    title='Appliances that are imported',
    help="""
What is imported as an OVA (``container_format=ova``) becomes the one disk in
it, and what is imported as a disk is checked. These options are read by
glance-api, where the import plug-in ``newos_appliance`` is enabled.
""",
)

newos_appliance_opts = [
    cfg.IntOpt(
        'max_disk_size',
        default=1024,
        min=1,
        help="""
Virtual size in GiB that the disk of an appliance may have at most.

The file of a disk says so itself, and may be much smaller: what converts the
disk to raw, as compute hosts do, may need all of it.
""",
    ),
]


def register_opts(conf):
    """Register the groups and their options.

    :param conf: an ``oslo_config.cfg.ConfigOpts``; Glance's own, in
        glance-api
    """
    conf.register_group(newos_iso_group)
    conf.register_opts(newos_iso_opts, group=newos_iso_group)
    conf.register_group(newos_appliance_group)
    conf.register_opts(newos_appliance_opts, group=newos_appliance_group)


def list_opts():
    """Options for the oslo.config generator."""
    return [
        (newos_iso_group, newos_iso_opts),
        (newos_appliance_group, newos_appliance_opts),
    ]
