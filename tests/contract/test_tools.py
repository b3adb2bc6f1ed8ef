# SPDX-License-Identifier: Apache-2.0
"""The contract tests notice what they are for."""

import textwrap

from tests.contract import facts
from tests.contract import records
from tests.contract import uses

OURS = textwrap.dedent("""
    import nova.conf
    from nova.virt.libvirt import driver
    from nova.virt.libvirt import utils as libvirt_utils

    CONF = nova.conf.CONF


    class Ours(driver.LibvirtDriver):
        extra = 1

        def spawn(self, context):
            super().spawn(context)
            self._host.list_guests()
            return libvirt_utils.get_instance_path(CONF.host.lower())
""")


def relied_on():
    return facts.relied_on(*uses.of_source(OURS))


def test_finds_what_is_used():
    found = relied_on()
    driver = 'nova.virt.libvirt.driver.LibvirtDriver'
    assert set(found) == {
        'nova.conf.CONF',
        'nova.conf.CONF.host',
        driver,
        driver + '._host',
        driver + '.spawn',
        'nova.virt.libvirt.utils.get_instance_path',
    }
    assert found[driver + '._host']['kind'] == 'instance attribute'
    assert found['nova.conf.CONF.host'] == {'kind': 'option'}
    assert found[driver + '.spawn']['parameters'][:3] == [
        'self',
        'context',
        'instance',
    ]


def test_finds_what_is_missing():
    names, members = uses.of_source(
        'from nova.virt.libvirt import utils\nutils.no_such_thing()\n'
    )
    assert facts.relied_on(names, members) == {
        'nova.virt.libvirt.utils.no_such_thing': facts.ABSENT
    }


BEFORE = '''
def f(a, *, b=1, **c):
    """Says something."""
    if a:
        # and why
        b += 1
        a = f"{a}  {b}"
    return b
'''


def test_hash_ignores_comments():
    after = BEFORE.replace('and why', 'and more').replace('Says', 'Tells')
    assert after != BEFORE
    assert facts.source_hash(after) == facts.source_hash(BEFORE)


def test_hash_notices_code():
    changed = [
        BEFORE.replace('b=1', 'b=2'),
        BEFORE.replace('+=', '-='),
        BEFORE.replace('    return b', '        return b'),
        BEFORE.replace('{a}  {b}', '{a} {b}'),
    ]
    hashes = {facts.source_hash(text) for text in (BEFORE, *changed)}
    assert len(hashes) == 5


def test_hash_is_the_same_everywhere():
    """A literal, so that each version of Python answers to the others."""
    assert facts.source_hash(BEFORE) == '65c921eab221827b'


def test_parameters():
    def function(a, b=1, *args, c, d=2, **rest):
        pass

    def bare(a, *, c):
        pass

    assert facts.parameters(function) == [
        'a',
        'b=',
        '*args',
        'c',
        'd=',
        '**rest',
    ]
    assert facts.parameters(bare) == ['a', '*', 'c']


def test_complaints():
    fact, other = {'kind': 'function', 'source': '1'}, {'kind': 'absent'}
    known = {
        'nova.f': [
            {**fact, 'versions': ['33.0.0', '34.0.0']},
            {**other, 'versions': ['33.0.2']},
        ]
    }

    def complain(name, fact, version):
        return records.complaint(known, name, fact, version)

    assert not complain('nova.f', fact, '33.0.1')
    assert not complain('nova.f', other, '33.0.1')
    changed = complain('nova.f', other, '34.0.0')
    for part in ('nova.f', '34.0.0', 'absent', 'python -m tests.contract'):
        assert part in changed
    assert 'release 35' in complain('nova.f', fact, '35.0.0')
    assert 'not in recorded.json' in complain('nova.g', fact, '34.0.0')


def test_record():
    fact, other = {'source': '1'}, {'source': '2'}
    recorded = records.add({'nova.g': []}, {'nova.f': fact}, '33.0.0')
    assert recorded == {'nova.f': [{**fact, 'versions': ['33.0.0']}]}
    recorded = records.add(recorded, {'nova.f': fact}, '34.0.0')
    recorded = records.add(recorded, {'nova.f': other}, '33.0.0')
    assert recorded == {
        'nova.f': [
            {**fact, 'versions': ['34.0.0']},
            {**other, 'versions': ['33.0.0']},
        ]
    }
