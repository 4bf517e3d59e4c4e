"""What the integration tests of the `hdfs` package are derived from: they import it as test/util.py,
which the package's archive does not hold."""

import os

from hdfs import InsecureClient


class _IntegrationTest:
    client = None

    @classmethod
    def setup_class(cls):
        cls.client = InsecureClient(os.environ["HDFSCLI_TEST_URL"], root=".hdfscli", user="ann")

    @classmethod
    def teardown_class(cls):
        cls.client.delete("", recursive=True)

    def setup_method(self):
        self.client.delete("", recursive=True)

    def _read(self, path, encoding=None):
        with self.client.read(path, encoding=encoding) as reader:
            return reader.read()

    def _write(self, path, data, encoding=None):
        return self.client.write(path, data, encoding=encoding)

    def _exists(self, path):
        return bool(self.client.status(path, strict=False))


def save_config(config, path=None):
    with open(path or config.path, "w", encoding="utf-8") as file:
        config.write(file)
