# SPDX-License-Identifier: Apache-2.0

"""The example of a third-party plug-in, installed and used."""

import io
import json

import pycdlib
import pytest

from tests.functional.packaging import scratch

SERVER = {
    'uuid': '8d1b0b0e-65fd-4b5c-8d71-8b8a5a4f5a55',
    'project_id': 'e0a1b2c3',
    'iso': '4d2f1a1c-2a63-4f0c-9a63-5b5c2a2f7f63',
}

# The steps of the driver: load what is enabled, ask for the reference, and
# later, in another process for all we know, for the contents.
PRELUDE = """
import json, sys
from oslo_config import cfg
from nova_newos import conf as newos_conf, media
from nova_newos.media import base
conf = cfg.ConfigOpts()
newos_conf.register_opts(conf)
conf([])
conf.set_override('media', ['virtio', 'about'], group='newos')
def server(**properties):
    return base.Server(properties=properties, **json.loads('''%s'''))
""" % json.dumps(SERVER)

REFERENCE = (
    PRELUDE
    + """
print(media.Media(conf).enabled[1].reference(server(newos_about=%r)))
"""
)

WRITE = (
    PRELUDE
    + """
contents = media.Media(conf).get('about').contents(server(), '1')
contents.write(%r)
print(contents.label)
"""
)


@pytest.fixture(scope='module')
def installed(workspace, pip, dependencies, our_wheel, our_tree):
    environment = scratch.Environment(workspace / 'plugin', pip, dependencies)
    environment.install(our_wheel)
    environment.install(our_tree / 'examples' / 'media-plugin')
    return environment


def _read(path):
    """Volume label and ``server.json`` of an ISO."""
    iso = pycdlib.PyCdlib()
    iso.open(path)
    data = io.BytesIO()
    iso.get_file_from_iso_fp(data, joliet_path='/server.json')
    label = iso.pvd.volume_identifier.decode().strip()
    iso.close()
    return label, data.getvalue()


def test_applies_when_the_image_asks(installed):
    assert installed.python(REFERENCE % 'yes') == '1'
    assert installed.python(REFERENCE % 'no') == 'None'


def test_wrong_property_is_refused(installed):
    with pytest.raises(AssertionError, match='PropertyInvalid.*newos_about'):
        installed.python(REFERENCE % 'perhaps')


def test_content_is_the_same_whenever_it_is_written(installed, tmp_path):
    paths = [str(tmp_path / name) for name in ('first', 'second')]
    labels = {installed.python(WRITE % path) for path in paths}
    assert labels == {'ABOUT'}
    label, data = _read(paths[0])
    assert label == 'ABOUT'
    assert json.loads(data) == {
        'uuid': SERVER['uuid'],
        'project_id': SERVER['project_id'],
        'install_iso': SERVER['iso'],
    }
    assert _read(paths[1]) == (label, data)


def test_status_loads_it(installed, tmp_path):
    config = tmp_path / 'nova.conf'
    config.write_text('[newos]\nmedia = about,virtio\n')
    process = installed.script(
        'nova-newos-status',
        '--config-file',
        config,
        'upgrade',
        'check',
        '--json',
        check=False,
    )
    [check] = [
        check
        for check in json.loads(process.stdout)['checks']
        if check['check'] == 'Media plug-ins'
    ]
    assert (check['result'], check['details']) == (0, 'about, virtio')


def test_missing_plugin_is_named(ours_alone):
    with pytest.raises(AssertionError, match="MediumLoadError: .*'about'"):
        ours_alone.python(REFERENCE % 'yes')
