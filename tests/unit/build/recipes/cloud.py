# SPDX-License-Identifier: Apache-2.0
"""A cloud in memory whose images have data, members and visibility."""

from openstack import exceptions

from tests.unit.build import cloud

RECIPE = b"""\
format: 1
description: Debian without anything
group: linux
iso: debian-13
answers:
  preseed.cfg: |
    d-i debian-installer/locale string en_US.UTF-8
    d-i passwd/root-password-crypted password ${{ secrets.root }}
    d-i preseed/late_command string sh /hd-media/provision.sh
script: |
  #!/bin/sh
  touch /target/etc/provisioned
secrets:
  root: hash for root
settings:
  ram: 512
  disk: 4
  seal: true
  finish: power-off
  family: debian
boot_test: console
"""

SECRETS = {'root': '$6$salt$digest'}


class Cloud(cloud.Cloud):
    def __init__(self):
        super().__init__()
        self.image = Images(self)
        self.compute.flavors = self.flavors.values
        self.flavors['f'] = flavor('f')
        self.iso = self.add_image(
            name='debian-13',
            disk_format='iso',
            hash_algo='sha512',
            hash_value='abc',
            min_ram=0,
        )

    def add_image(self, **fields):
        return super().add_image(
            **{
                'visibility': 'shared',
                'is_protected': False,
                'data': b'',
                'members': [],
                **fields,
            }
        )

    def recipes(self):
        """Names of all images with a recipe, those that do not count too."""
        return [
            image.name
            for image in self.images.values()
            if 'golden-recipe' in image.tags
        ]


def flavor(name, **fields):
    return cloud.Thing(
        **{
            'id': name,
            'name': name,
            'disk': 5,
            'ram': 512,
            'vcpus': 1,
            'is_disabled': False,
            'extra_specs': {},
            **fields,
        }
    )


class Download:
    def __init__(self, data):
        self._data = data
        self.is_closed = False

    def iter_content(self, size):
        for start in range(0, len(self._data), size):
            yield self._data[start : start + size]

    def close(self):
        self.is_closed = True


class Images(cloud.Images):
    def __init__(self, owner):
        super().__init__(owner)
        self.downloads = []

    def images(self, is_hidden=False, visibility=None, **query):
        tag = query.pop('tag', None)
        if 'name' in query:
            query['name'] = query['name'].removeprefix('eq:')
        return [
            image
            for image in list(self._cloud.images.values())
            if image.is_hidden == is_hidden
            # As Glance does, which leaves out the community's.
            and (image.visibility == 'community')
            == (visibility == 'community')
            and (tag is None or tag in image.tags)
            and query.items() <= vars(image).items()
        ]

    def get_image(self, image_id):
        if image_id not in self._cloud.images:
            raise exceptions.NotFoundException()
        return self._cloud.images[image_id]

    def find_image(self, name, ignore_missing=False):
        found = [i for i in self._cloud.images.values() if i.name == name]
        if not found:
            raise exceptions.NotFoundException()
        return found[0]

    def create_image(
        self,
        name,
        data,
        disk_format,
        container_format,
        tags,
        allow_duplicates,
        meta,
    ):
        assert allow_duplicates and container_format == 'bare'
        known = {'is_hidden', 'is_protected', 'visibility'}
        image = self._cloud.add_image(
            name=name,
            data=data,
            disk_format=disk_format,
            tags=tags,
            properties={k: v for k, v in meta.items() if k not in known},
            **{k: v for k, v in meta.items() if k in known},
        )
        self._cloud.changed('create_image')
        return image

    def update_image(self, image_id, **fields):
        image = self._cloud.images[getattr(image_id, 'id', image_id)]
        for name in [name for name in fields if not hasattr(image, name)]:
            image.properties[name] = fields.pop(name)
        super().update_image(image, **fields)
        return image

    def download_image(self, image_id, stream):
        assert stream
        self.downloads.append(Download(self._cloud.images[image_id].data))
        return self.downloads[-1]

    def delete_image(self, image):
        found = self._cloud.images.get(getattr(image, 'id', image))
        if found is not None and found.is_protected:
            raise exceptions.ForbiddenException()
        super().delete_image(found)

    def members(self, image_id):
        return [
            cloud.Thing(member_id=member)
            for member in self._cloud.images[image_id].members
        ]

    def add_member(self, image_id, member_id):
        self._cloud.images[image_id].members.append(member_id)
        self._cloud.changed('add_member')
