# SPDX-License-Identifier: Apache-2.0

from nova import exception as nova_exception
from nova import objects

from nova_newos.virt import owner
from tests.unit.virt import fakes


class OwnerTest(fakes.TestCase):
    def server(self, **metadata):
        self.metadata[fakes.SERVER] = dict(metadata)
        return fakes.server(metadata=dict(metadata))

    def test_told(self):
        instance = self.server(theirs='1')
        owner.tell(instance, {'newos_error': 'text'})
        told = {'theirs': '1', 'newos_error': 'text'}
        self.assertEqual(told, instance.metadata)
        self.assertEqual(told, self.metadata[fakes.SERVER])
        self.assertNotIn('metadata', instance.obj_what_changed())

    def test_taken_back(self):
        instance = self.server(theirs='1', newos_error='text')
        owner.forget(instance, owner.ERROR)
        self.assertEqual({'theirs': '1'}, self.metadata[fakes.SERVER])
        self.assertEqual({'theirs': '1'}, instance.metadata)

    def test_what_the_owner_changed_meanwhile(self):
        """Nova would write all of the metadata as it was before."""
        instance = self.server(old='1')
        self.metadata[fakes.SERVER] = {'new': '2'}
        owner.tell(instance, {'newos_error': 'text'})
        self.assertEqual(
            {'new': '2', 'newos_error': 'text'}, self.metadata[fakes.SERVER]
        )

    def test_nothing_new(self):
        """No request to the database."""
        instance = self.server(newos_error='text')
        owner.tell(instance, {'newos_error': 'text', 'absent': None})
        owner.forget(self.server(), owner.ERROR)
        objects.Instance.get_by_uuid.assert_not_called()

    def test_length(self):
        """Of a column in Nova's database."""
        instance = self.server()
        owner.tell(instance, {'newos_error': 'x' * 256})
        self.assertEqual('x' * 255, instance.metadata['newos_error'])

    def test_server_is_gone(self):
        """The operation has its own result."""
        instance = self.server()
        self.save_error = nova_exception.InstanceNotFound(instance_id='gone')
        owner.tell(instance, {'newos_error': 'text'})
        self.assertEqual({}, instance.metadata)
        self.assertNotIn('metadata', instance.obj_what_changed())

    def test_server_that_little_is_known_of(self):
        owner.forget(objects.Instance(fakes.context()), owner.ERROR)
