"""What the tests of this folder look at: template.yaml as it is written, and what SAM makes of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

type Document = Mapping[str, Any]

TEMPLATE = Path(__file__).parent.parent.parent / "template.yaml"
UPLOADED = "s3://bucket/key"  # the translator takes code only from where a deployment puts it


@pytest.fixture(scope="session")
def template() -> Document:
    """template.yaml, its short tags written out (`!Ref x` is `{"Ref": "x"}`)."""
    document: Document = yaml_parse(TEMPLATE.read_text())
    return document


@pytest.fixture(scope="session")
def cloudformation() -> Document:
    """The resources that SAM makes of it."""
    document = yaml_parse(TEMPLATE.read_text())
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        properties |= {name: UPLOADED for name in ("CodeUri", "ContentUri") if name in properties}
    translator = Translator(
        None,
        Parser(),
        boto_session=boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1"),
    )
    resources: Document = translator.translate(document, parameter_values={}, get_managed_policy_map=dict)["Resources"]
    return resources


@pytest.fixture(scope="session")
def of_type(template: Document) -> Callable[[str], dict[str, Document]]:
    """Find the resources of a type: their properties by logical id."""

    def found(kind: str) -> dict[str, Document]:
        resources = template["Resources"].items()
        return {logical_id: each["Properties"] for logical_id, each in resources if each["Type"] == kind}

    return found
