from collections.abc import Iterator

import pytest

from local.aws.ministack import LocalAws


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    local_aws = LocalAws(host="127.0.0.1", reachable="127.0.0.1")
    try:
        local_aws.wait_until_ready()
        yield local_aws
    finally:
        local_aws.close()
