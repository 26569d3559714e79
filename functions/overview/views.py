"""How an overview is shown."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from functions.host.models import Time
from functions.host.problems import problem_type
from functions.overview.sections import FIRST, SECTIONS
from lib.overview.sections import Section, SectionStatus

Data = TypeVar("Data")
_NAMES = "|".join(section.name for section in SECTIONS)

Include = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=f"^({_NAMES})(,({_NAMES}))*$",
        description=f"Names of sections, by commas; all of them when left out. Lists show their first {FIRST}",
        examples=["profile,orders,timeline"],
    ),
]


class SectionProblem(BaseModel):
    """Why a section has no data."""

    type: Annotated[str, Field(max_length=200, description="A stable name for this kind of problem")]
    title: Annotated[str, Field(max_length=200)]
    detail: Annotated[str, Field(max_length=1000)]


class SectionView(BaseModel, Generic[Data]):
    """A section: its data, or why there are none."""

    status: SectionStatus
    data: Data | None = None
    problem: SectionProblem | None = None


_fields: dict[str, Any] = {section.name: (SectionView[section.model] | None, None) for section in SECTIONS}
OverviewSections = create_model("OverviewSections", __doc__="The sections that were asked for.", **_fields)


class OverviewView(BaseModel):
    """All that is known of a customer, as far as it can be read now."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    customer_id: Annotated[str, Field(max_length=30)]
    read_at: Time
    complete: Annotated[bool, Field(description="Whether every section could be read")]
    sections: OverviewSections  # pyright: ignore[reportInvalidTypeForm] - made from the list of sections


def overview_text(customer_id: str, read_at: str, found: Mapping[str, Section], names: Iterable[str]) -> str:
    """Return the sections of these names as JSON text; their data are JSON texts already."""
    shown = {name: found[name] for name in names}
    head = {
        "customerId": customer_id,
        "readAt": read_at,
        "complete": all(section.status is SectionStatus.OK for section in shown.values()),
    }
    sections = ",".join(f'"{name}":{_section_text(section)}' for name, section in shown.items())
    return f'{json.dumps(head)[:-1]},"sections":{{{sections}}}}}'


def _section_text(section: Section) -> str:
    if section.problem is None:
        return f'{{"status":"{section.status}","data":{section.data}}}'
    problem = section.problem
    view = SectionProblem(type=problem_type(problem.kind), title=problem.title, detail=str(problem))
    return f'{{"status":"{section.status}","problem":{view.model_dump_json()}}}'
