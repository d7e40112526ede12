"""Settings of the brands that an operator sells under."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from churnml.config.section import Section

BrandName = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""As ``customers.brand`` has it, after the mapping."""


class BrandWords(Section):
    """What a brand is called, in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class BrandSettings(Section):
    """Which brands there are, and which of them are for the elderly.

    >>> own = BrandSettings(names=("red", "blue"), words={"red": {"en": "Red", "zh": "红卡"}})
    >>> own.called("zh")
    {'red': '红卡'}
    """

    names: tuple[BrandName, ...] = Field(
        ("gotone", "easyown", "mzone", "senior", "other"),
        min_length=1,
        description="values that customers.brand may have: 全球通, 神州行, 动感地带, 老年, other",
    )
    elderly: tuple[BrandName, ...] = Field(
        ("senior",), description="those of the elderly (老年), which are looked at first"
    )
    words: dict[BrandName, BrandWords] = Field(
        {}, description="what readers call a brand of your own, as red: {en: Red, zh: 红卡}"
    )

    @model_validator(mode="after")
    def _only_brands_that_there_are(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError("names has a brand twice")
        for key in ("elderly", "words"):
            strange = sorted(set(getattr(self, key)) - set(self.names))
            if strange and key in self.model_fields_set:
                raise ValueError(f"{key} has {', '.join(strange)}, which names has not")
        return self

    def called(self, lang: Literal["en", "zh"]) -> dict[str, str]:
        """What the brands with words of their own are called, in one language."""
        return {name: getattr(one, lang) for name, one in self.words.items()}
