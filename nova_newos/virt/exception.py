# SPDX-License-Identifier: Apache-2.0
"""Our refusals as the exceptions of ``nova.exception`` that users read.

The core knows nothing of Nova, and one refusal may be met in more than one
operation: each override says which of these its caller understands, see
:mod:`nova_newos.virt.override`.
"""

import contextlib

from nova import exception as nova_exception

from nova_newos import exception


class Refused(
    nova_exception.InstanceUnacceptable, nova_exception.ImageUnacceptable
):
    """A server cannot be installed, or an operation on it is refused.

    ``ComputeManager._build_resources`` passes on the text of an
    InstanceUnacceptable while devices are named, before volumes or files
    exist, and ``_build_and_run_instance`` that of an ImageUnacceptable raised
    by the spawn; neither tries another host.
    """

    msg_fmt = '%(reason)s'


@contextlib.contextmanager
def refused(instance):
    """Turn our errors into the fault of a server."""
    try:
        yield
    except exception.NewosError as error:
        raise _refusal(instance, error) from error


@contextlib.contextmanager
def rolled_back(instance):
    """Turn our errors into a fault that leaves the server as it was.

    ``ComputeManager._error_out_instance_on_exception`` sets the server back
    to the state it was in for an InstanceFaultRollback.
    """
    try:
        yield
    except exception.NewosError as error:
        raise nova_exception.InstanceFaultRollback(
            _refusal(instance, error)
        ) from error


@contextlib.contextmanager
def unfit_destination(_instance):
    """Turn our errors into one that makes Nova try another destination."""
    try:
        yield
    except exception.NewosError as error:
        raise nova_exception.MigrationPreCheckError(
            reason=str(error)
        ) from error


def _refusal(instance, error):
    return Refused(
        instance_id=instance.uuid,
        image_id=instance.image_ref,
        reason=str(error),
    )
