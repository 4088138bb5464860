"""What a user writes, for the type checkers: never run, but it must be without errors."""

from typing import Optional

from hyperion import AsyncHyperion, Decision, Hyperion, HyperionClient, HyperionOptions
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel
from typing_extensions import assert_type


class City(BaseModel):
    name: str


def plain(client: Hyperion) -> Optional[str]:
    options: HyperionOptions = {"fallbacks": ["gpt-4o-mini"], "timeouts": {"total_ms": 5000}}
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello."}]
    answer = client.chat.completions.create(
        model="gpt-4o", messages=messages, hyperion=options, smart_routing=True, temperature=0.5
    )
    assert_type(answer.hyperion, Decision)
    assert_type(answer.hyperion.attempts, Optional[int])
    if answer.hyperion.route_decision is not None:
        assert_type(answer.hyperion.route_decision.tier, Optional[int])
    return answer.choices[0].message.content


def streamed(client: HyperionClient) -> str:
    text = ""
    with client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "Hello."}], stream=True
    ) as stream:
        assert_type(stream.hyperion, Decision)
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    return text


def parsed(client: Hyperion) -> Optional[City]:
    answer = client.chat.completions.parse(
        model="gpt-4o", messages=[{"role": "user", "content": "Where?"}], response_format=City,
        hyperion={"max_cost": 0.01},
    )
    assert_type(answer.hyperion, Decision)
    return answer.choices[0].message.parsed


async def asynchronous() -> Optional[str]:
    async with AsyncHyperion(api_key="sk_test_demo") as client:
        answer = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello."}],
            hyperion={"tags": {"team": "search"}},
        )
        await client.feedback(request_id=answer.hyperion.request_id or "", good=True)
        explanation = await client.route.explain(
            model="auto", messages=[{"role": "user", "content": "Hello."}]
        )
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello."}], stream=True
        )
        assert_type(stream.hyperion, Decision)
        async for chunk in stream:
            print(chunk.choices[0].delta.content)
        return explanation.model
