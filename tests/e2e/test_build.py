"""What `sam build` leaves, and `make build` adds: right for the processor, compiled, small enough."""

from pathlib import Path

UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: bytes 4 to 8 of a .pyc say how it is checked; bit 0: by hash
MAX_BODY_BYTES = 250 * 1024 * 1024  # of a function with its layers, unzipped (AWS, Lambda quotas)
ELF_MACHINE = slice(18, 20)  # of an ELF header
AARCH64 = (183).to_bytes(2, "little")


def test_every_module_is_compiled_so_that_no_cold_start_compiles_it(built: Path) -> None:
    sources = [path for path in built.rglob("*.py") if "__pycache__" not in path.parts]

    missing = [path for path in sources if not _bytecode(path).exists()]
    checked = [path for path in built.rglob("*.pyc") if path.read_bytes()[4:8] != UNCHECKED_HASH]

    assert len(sources) > 1000
    assert missing == []
    assert checked == []


def test_function_and_layer_fit_into_lambda(built: Path) -> None:
    layer = _bytes(built / "SwitchboardLayer")

    assert all(layer + _bytes(function) < MAX_BODY_BYTES for function in built.glob("*Function"))


def test_the_default_build_is_for_the_processor_it_runs_on(built_for_aws: Path) -> None:
    libraries = [*built_for_aws.rglob("*.so"), *built_for_aws.rglob("*.so.*")]

    assert libraries
    assert [path.name for path in libraries if path.read_bytes()[ELF_MACHINE] != AARCH64] == []


def _bytecode(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
