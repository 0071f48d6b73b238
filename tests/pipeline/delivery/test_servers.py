"""What is said of the page when it begins to listen."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.config import load
from pipeline.delivery.servers import open_servers


@pytest.mark.parametrize("token", [None, "a-token-of-my-own"])
def test_a_log_has_no_token_and_who_named_one_is_not_told_to(token: str | None) -> None:
    async def lines() -> list[str]:
        flags = {"web.hosts": ["a.lan"], "web.port": 0, "web.token": token, "mqtt.enabled": False}
        async with open_servers(load(flags=flags, environment={})) as servers:
            return list(servers.lines)

    (said,) = asyncio.run(lines())
    assert said.startswith("live page   https://a.lan/?token=, then the token")
    assert ("FORCEBAND_WEB_TOKEN" in said) == (token is None)
    assert "of-my-own" not in said
