"""Settings of the actions that a list suggests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from churnml.config.section import Section


class Action(Section):
    """What to do for a customer, in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


def _action(en: str, zh: str) -> Any:
    return Field(Action(en=en, zh=zh))


class ActionSettings(Section):
    """What a list suggests for a customer, by the driver that speaks against their staying."""

    network: Action = _action(
        "Check coverage and speed where the customer lives, and call back with the result.",
        "核查客户所在地的网络覆盖和速率，并回访告知结果。",
    )
    tariff: Action = _action(
        "Go through the bills together and offer the plan that fits the usage.",
        "与客户核对账单，推荐适合其用量的套餐。",
    )
    business_support: Action = _action(
        "Find the request that went wrong, complete it, and tell the customer when it is done.",
        "查明未办妥的业务，办结后告知客户。",
    )
    service_window: Action = _action(
        "Call the customer about the open matter before anybody sells them anything.",
        "先就未解决事项回访客户，再谈任何营销。",
    )
    value: Action = _action(
        "Ask what changed, and check unpaid bills and the plan before an offer is made.",
        "了解变化原因，核查欠费和套餐后再给优惠。",
    )
    usage: Action = _action(
        "Ask whether another operator's card is in use, and show what the plan still holds.",
        "了解是否使用他网号卡，告知套餐剩余权益。",
    )
    lifecycle: Action = _action(
        "Welcome new customers; offer a renewal before a contract ends.",
        "关怀新入网客户；合约到期前提供续约方案。",
    )
    tier: Action = _action(
        "Let the customer manager call, and name what the present tier holds.",
        "由客户经理联系，说明当前等级的权益。",
    )
    ties: Action = _action(
        "Mention what calls among friends and family cost here, and offer a plan for all of them.",
        "介绍亲友间通话资费，推荐亲情网或家庭共享套餐。",
    )

    def by_driver(self, lang: Literal["en", "zh"]) -> dict[str, str]:
        """The action of each driver, in one language.

        >>> ActionSettings().by_driver("zh")["tier"]
        '由客户经理联系，说明当前等级的权益。'
        """
        return {name: getattr(getattr(self, name), lang) for name in type(self).model_fields}
