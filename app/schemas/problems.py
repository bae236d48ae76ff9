"""The body of every answer that is not a success."""

from pydantic import ConfigDict, Field

from app.schemas.base import BaseSchema


class ProblemField(BaseSchema):
    pointer: str = Field(examples=["/body/email"])
    code: str
    detail: str


class Problem(BaseSchema):
    """A problem document (RFC 9457); some problems have further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URI that ends in the code.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path of the request.")
    code: str = Field(description="What happened; stable, made for programs.")
    request_id: str = Field(description="Finds the request in the log.")
    errors: list[ProblemField] = Field(
        default=[], description="What is wrong, and where."
    )
