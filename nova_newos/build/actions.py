# SPDX-License-Identifier: Apache-2.0
"""What a build does in the cloud: one request, or some that may be repeated.

Those that take ``cloud`` and ``found`` alone are a step's: ``cloud`` is an
``openstack.connection.Connection``, ``found`` a
:class:`~nova_newos.build.facts.Facts`. They raise what the cloud refuses.
"""

import base64
import contextlib
import hashlib

from openstack import exceptions

from nova_newos.build import boot_test
from nova_newos.build import iso_file
from nova_newos.build import times
from nova_newos.build import words
from nova_newos.build.recipes import words as recipe_words
from nova_newos.registry import glance
from nova_newos.registry import publishing
from nova_newos.registry import words as registry_words


def create_install_server(
    cloud, build_id, plan, iso_id, metadata, user_data=None
):
    """Create the server that a build begins with.

    :param metadata: with the plan; dict of str to str
    :param user_data: bytes for the installer, or None
    """
    fields = {}
    if user_data is not None:
        fields['user_data'] = base64.b64encode(user_data).decode()
        metadata = {
            **metadata,
            words.USER_DATA: digest_of(build_id, user_data),
        }
    _create_server(
        cloud,
        build_id,
        plan,
        name=f'{plan.name}-install',
        image_id=iso_id,
        metadata=metadata,
        **fields,
    )


def digest_of(build_id, user_data):
    """By which it is known again, a str.

    Whoever sees the server sees it, and may guess at a password in there: not
    for less than a guess costs here.
    """
    return hashlib.scrypt(
        user_data, salt=build_id.encode(), n=2**14, r=8, p=1, dklen=8
    ).hex()


def _create_server(cloud, build_id, plan, **fields):
    network = plan.network
    if network not in ('none', 'auto'):
        network = [{'uuid': network}]
    return cloud.compute.create_server(
        flavor_id=plan.flavor,
        networks=network,
        tags=[words.TAG, words.tag_of(build_id)],
        **fields,
    )


def capture(cloud, found):
    """Have Nova make the candidate of the root disk."""
    tag = words.tag_of(found.build_id)
    cloud.compute.create_server_image(found.install, tag)
    cloud.compute.set_server_metadata(found.install, **{words.CAPTURED: 'yes'})


def drop_candidate(cloud, found):
    """Delete an image that will never have bytes."""
    _delete_unpublished(cloud, found.candidate)


def adopt(cloud, found):
    """Have the candidate found by its tags, and by nobody else."""
    # Hidden last: without its tags nobody would find it then.
    for tag in (words.tag_of(found.build_id), words.TAG):
        # By its id: tags of an Image would be part of the next update, and
        # Glance takes none of openstacksdk's changes of them.
        cloud.image.add_tag(found.candidate.id, tag)
    cloud.image.update_image(found.candidate, is_hidden=True)


def boot(cloud, found):
    """Create a server of the candidate."""
    metadata = {words.ROLE: words.TEST}
    seen = found.install.metadata.get(words.SEEN)
    if seen:
        metadata[words.SEEN] = seen
    _create_server(
        cloud,
        found.build_id,
        found.plan,
        name=f'{found.plan.name}-test',
        image_id=found.candidate.id,
        metadata=metadata,
    )


def boot_again(cloud, found, identities):
    """Make room for a second server of the candidate.

    :param identities: that the first has shown
    """
    # Before it goes: what it has shown goes with it.
    cloud.compute.set_server_metadata(
        found.install, **{words.SEEN: boot_test.as_metadata(identities)}
    )
    for server in found.tests:
        cloud.compute.delete_server(server)


def publish(cloud, found):
    """Make the candidate what the name of its family stands for."""
    image = found.candidate
    told = {words.SECONDS: times.as_property(found)}
    digest = found.install.metadata.get(recipe_words.DIGEST)
    if digest:
        told[recipe_words.DIGEST] = digest
    glance.change(cloud, image.id, **told)
    publishing.publish(cloud, image.id, found.plan.name)


def finish(cloud, found):
    """Delete what is left once the golden image is published."""
    # Whoever has published it may have been stopped before the end.
    image = found.candidate
    family = image.properties.get(registry_words.FAMILY, image.name)
    publishing.settle(cloud, family, image.owner)
    clean(cloud, found)


def keep(cloud, found, reason, at):
    """Note why the build has failed, and when."""
    cloud.compute.set_server_metadata(
        found.install,
        **{
            words.FAILED: reason[: words.MAX_LENGTH],
            words.FAILED_AT: times.text_of(at),
        },
    )


def retire(cloud, found):
    """Delete install servers that another one has replaced."""
    for server in found.retired:
        cloud.compute.delete_server(server)


def _delete_unpublished(cloud, image):
    """Delete an image that is the build's still.

    What is known of it may be old: this client has slept, and another one has
    published it.
    """
    try:
        name = cloud.image.get_image(image.id).name
    except exceptions.NotFoundException:
        return
    if words.build_of([name]) is not None:
        cloud.image.delete_image(image)


def clean(cloud, found):
    """Delete what a build has made, but for what it leaves.

    The install server is the last of the servers and captured images to go:
    by it another client finds the rest. An ISO is found by its own tags.
    """
    for image in found.images:
        _delete_unpublished(cloud, image)
    for server in found.servers:
        cloud.compute.delete_server(server)
    for iso in found.isos:
        iso_file.drop(cloud, found.build_id, iso)


def reinstall(cloud, found, user_data):
    """Create the install server once more; the failed one goes after that."""
    install = found.install
    unwanted = (words.FAILED, words.FAILED_AT, words.CAPTURED, 'newos_error')
    metadata = {
        key: value
        for key, value in install.metadata.items()
        if key not in unwanted
    }
    create_install_server(
        cloud,
        found.build_id,
        found.plan,
        install.image.id,
        metadata,
        user_data,
    )


def forget_failure(cloud, found, recapture):
    """Take away what has failed, so that it is done anew.

    :param recapture: whether that is the candidate, and not its boot alone
    """
    for server in found.tests:
        cloud.compute.delete_server(server)
    if recapture:
        for image in found.images:
            _delete_unpublished(cloud, image)
    keys = [
        key
        # The reason last: without it the build would fail for the others.
        for key in (words.SEEN, words.CAPTURED, words.FAILED_AT, words.FAILED)
        if key in found.install.metadata
    ]
    for key in keys:
        # One by one: openstacksdk takes several in no order.
        with contextlib.suppress(exceptions.NotFoundException):
            cloud.compute.delete_server_metadata(found.install, [key])
