# SPDX-License-Identifier: Apache-2.0
"""Our refusals as the exceptions of ``nova.exception`` that users read.

The core knows nothing of Nova, and one refusal may be met in more than one
operation: each override says which of these its caller understands, see
:mod:`nova_newos.virt.override`. The owner of the server reads all of them, see
:mod:`nova_newos.virt.owner`.
"""

import contextlib

from nova import exception as nova_exception

from nova_newos import exception
from nova_newos.virt import owner


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


class HostFault(nova_exception.NovaException):
    """This host cannot do what another may: a build goes on elsewhere.

    ``ComputeManager._build_and_run_instance`` makes a RescheduledException of
    what it does not know.
    """

    msg_fmt = '%(reason)s'


@contextlib.contextmanager
def refused(instance):
    """Turn our errors into the fault of a server."""
    with _translated(instance, _fault):
        yield


@contextlib.contextmanager
def rolled_back(instance):
    """Turn our errors into a fault that leaves the server as it was.

    ``ComputeManager._error_out_instance_on_exception`` sets the server back
    to the state it was in for an InstanceFaultRollback.
    """

    def rollback(instance, error):
        return nova_exception.InstanceFaultRollback(_fault(instance, error))

    with _translated(instance, rollback):
        yield


@contextlib.contextmanager
def unfit_destination(instance):
    """Turn our errors into one that makes Nova try another destination."""

    def precheck_failure(_instance, error):
        return nova_exception.MigrationPreCheckError(reason=str(error))

    with _translated(instance, precheck_failure):
        yield


@contextlib.contextmanager
def _translated(instance, translate):
    try:
        yield
    except exception.NewosError as error:
        owner.tell(instance, {owner.ERROR: error.public()})
        raise translate(instance, error) from error


def _fault(instance, error):
    if isinstance(error, exception.HostError):
        return HostFault(reason=str(error))
    return Refused(
        instance_id=instance.uuid,
        image_id=instance.image_ref,
        reason=str(error),
    )
