# SPDX-License-Identifier: Apache-2.0
"""Our refusals as exceptions that Nova shows to the user."""

import contextlib

from nova import exception as nova_exception

from nova_newos import exception


class InstallRefused(
    nova_exception.InstanceUnacceptable, nova_exception.ImageUnacceptable
):
    """A server cannot be installed from this image.

    ``ComputeManager._build_resources`` passes on the text of an
    InstanceUnacceptable while devices are named, before volumes or files
    exist, and ``_build_and_run_instance`` that of an ImageUnacceptable raised
    by the spawn; neither tries another host.
    """

    msg_fmt = '%(reason)s'


class InstanceRefused(nova_exception.InstanceUnacceptable):
    """An operation on an install server is refused."""

    msg_fmt = '%(reason)s'


@contextlib.contextmanager
def install_faults(instance, image_id):
    """Turn our errors into the fault of a server that is to be installed."""
    try:
        yield
    except exception.NewosError as error:
        raise InstallRefused(
            instance_id=instance.uuid, image_id=image_id, reason=str(error)
        ) from error


@contextlib.contextmanager
def instance_faults(instance):
    """Turn our errors into the fault of a server that exists."""
    try:
        yield
    except exception.NewosError as error:
        raise InstanceRefused(
            instance_id=instance.uuid, reason=str(error)
        ) from error


@contextlib.contextmanager
def rollback_faults(instance):
    """Turn our errors into a fault that leaves the server as it was.

    ``ComputeManager._error_out_instance_on_exception`` sets the server back
    to the state it was in for an InstanceFaultRollback.
    """
    try:
        with instance_faults(instance):
            yield
    except InstanceRefused as error:
        raise nova_exception.InstanceFaultRollback(error) from error


@contextlib.contextmanager
def precheck_faults():
    """Turn our errors into one that makes Nova try another destination."""
    try:
        yield
    except exception.NewosError as error:
        raise nova_exception.MigrationPreCheckError(
            reason=str(error)
        ) from error
