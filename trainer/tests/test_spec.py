"""Bad specs are refused with the key that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainer.errors import BAD_SPEC, JobError
from trainer.spec import AlignParams, parse_spec
from trainer.tests.jobs import align_params, spec


def _refusal(content: dict[str, Any] | str) -> str:
    with pytest.raises(JobError) as caught:
        parse_spec(content if isinstance(content, str) else json.dumps(content))
    assert caught.value.code == BAD_SPEC
    return str(caught.value)


def test_a_good_spec_is_typed() -> None:
    params = parse_spec(json.dumps(spec(align_params(Path("base"))))).params
    assert isinstance(params, AlignParams)
    assert params.base_model.dir == "base"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lora_rr": 4}, "'lora_rr'"),
        ({"lora_r": 0}, "params.lora_r"),
        ({"loss": "ppo"}, "params.loss"),
        ({"learning_rate": "fast"}, "params.learning_rate"),
        ({"kind": "dance"}, "params.kind"),
        ({"base_model": {"id": "x", "dir": "y", "sha256": "short"}}, "params.base_model.sha256"),
    ],
)
def test_a_fault_in_params_names_the_key(change: dict[str, Any], named: str) -> None:
    assert named in _refusal(spec({**align_params(Path("base")), **change}))


def test_a_fault_at_the_top_names_the_key() -> None:
    params = align_params(Path("base"))
    assert "'extra'" in _refusal(spec(params, extra=1))
    assert "inputs.0.path" in _refusal(spec(params, inputs=[{"path": "../secret", "sha256": "0" * 64}]))
    for address in ("0.0.0.0", "http://gpu-1", "gpu-1:8000"):
        assert "address" in _refusal(spec(params, address=address))
    missing = spec(params)
    del missing["fence"]
    assert "'fence'" in _refusal(missing)


def test_a_misspelt_key_is_named_before_the_one_it_stands_for() -> None:
    params = align_params(Path("base"))
    params["lora_ranks"] = params.pop("lora_r")
    assert "'lora_ranks'" in _refusal(spec(params))


def test_text_that_is_no_strict_json_is_refused() -> None:
    assert "not JSON" in _refusal("{")
    assert "twice" in _refusal('{"version": 1, "version": 1}')
    assert "NaN" in _refusal('{"version": NaN}')
