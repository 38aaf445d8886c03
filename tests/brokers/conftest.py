"""The shared suites explain their failures like tests do."""

import pytest

pytest.register_assert_rewrite("tests.brokers.contract")
