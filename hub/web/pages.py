"""Pages for people; made of the same reads as the API."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
