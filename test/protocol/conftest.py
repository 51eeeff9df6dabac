"""The schema as protobuf classes, built from protocol/ by protoc at test time."""
import pathlib
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def descriptors(tmp_path_factory):
    """FileDescriptorSet of protocol/*.proto."""
    target = tmp_path_factory.mktemp("protocol") / "set"
    protos = sorted(str(path) for path in (ROOT / "protocol").glob("*.proto"))
    subprocess.run(
        ["protoc", "--include_imports", f"--descriptor_set_out={target}", f"-I{ROOT / 'protocol'}"]
        + protos,
        check=True,
    )
    return descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())


@pytest.fixture(scope="session")
def messages(descriptors):
    """Message name -> class."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptors.file:
        pool.Add(file)
    names = [f"{file.package}.{m.name}" for file in descriptors.file for m in file.message_type]
    found = [pool.FindMessageTypeByName(name) for name in names]
    return {m.name: message_factory.GetMessageClass(m) for m in found}
