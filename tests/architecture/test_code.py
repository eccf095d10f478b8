"""What source code may not do, where no linter has the rule."""

from __future__ import annotations

import ast
import importlib
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.architecture.trees import nodes, text_of

from driftline.consumer.config.client_options import FIXED, FREE

MOST_PARAMETERS = 8
MOST_LATE_IMPORTS = 64  # five of pyspark
IGNORE = re.compile(r"type:\s*ignore")
REASONED_IGNORE = re.compile(r"# type: ignore\[[a-z, -]+\]  # \S+ \S+")
# All of these can run code that is hidden in what they read.
UNSAFE_MODULES = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load"}
UNSAFE_ARGUMENTS = {"allow_pickle"}


def constructors(text: str) -> Iterator[str]:
    """Classes whose constructor, written or made by `@dataclass`, takes too many parameters."""
    for node in nodes(text):
        if isinstance(node, ast.ClassDef):
            counts = [_parameters(item) for item in node.body if isinstance(item, ast.FunctionDef)]
            if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
                counts.append(sum(_is_parameter(item) for item in node.body))
            if max(counts, default=0) > MOST_PARAMETERS:
                yield f"{node.name} takes {max(counts)}"


def _parameters(function: ast.FunctionDef) -> int:
    if function.name not in {"__init__", "__new__"}:
        return 0
    arguments = function.args
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs) - 1


def _is_parameter(item: ast.stmt) -> bool:
    if not isinstance(item, ast.AnnAssign):
        return False
    value = ast.unparse(item.value) if item.value else ""
    return "ClassVar" not in ast.unparse(item.annotation) and "init=False" not in value


def bare_ignores(text: str) -> Iterator[str]:
    """`type: ignore` comments without a code or without a reason."""
    if not IGNORE.search(text):  # most have none, and are not taken apart for it
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        ignore = token.type == tokenize.COMMENT and IGNORE.search(token.string)
        if ignore and not REASONED_IGNORE.search(token.string):
            yield f"line {token.start[0]}"


def unsafe(text: str) -> Iterator[str]:
    """Deserialisation that runs what it reads."""
    for node in nodes(text):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names} & UNSAFE_MODULES
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").split(".")[0]} & UNSAFE_MODULES
        elif isinstance(node, ast.Call):
            names = {ast.unparse(node.func)} & UNSAFE_CALLS
            names |= {keyword.arg or "" for keyword in node.keywords} & UNSAFE_ARGUMENTS
        else:
            continue
        yield from sorted(names)


def late_imports(text: str) -> Iterator[str]:
    """Imports inside functions, each once."""
    found = {
        item.lineno: ast.unparse(item)
        for node in nodes(text)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for item in ast.walk(node)
        if isinstance(item, ast.Import | ast.ImportFrom)
    }
    yield from found.values()


Rule = Callable[[str], Iterator[str]]
EIGHT = "".join(f"    f{i}: int\n" for i in range(8))
ARGUMENTS = ", ".join(f"a{i}" for i in range(9))


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        (constructors, f"class A:\n    def __init__(self, {ARGUMENTS}): ...\n", 1),
        (constructors, f"class A:\n    def __init__(self, *, {ARGUMENTS}): ...\n", 1),
        (constructors, f"class A:\n    def judge(self, {ARGUMENTS}): ...\n", 0),
        (constructors, f"@dataclass(frozen=True)\nclass A:\n{EIGHT}    last: int\n", 1),
        (constructors, f"@dataclass\nclass A:\n{EIGHT}    made: int = field(init=False)\n", 0),
        (constructors, f"@dataclass\nclass A:\n{EIGHT}    KINDS: ClassVar[int] = 1\n", 0),
        (constructors, f"class Record(BaseModel):\n{EIGHT}    last: int\n", 0),
        (bare_ignores, "x = 1  # type: ignore\n", 1),
        (bare_ignores, "x = 1  # type: ignore[misc]\n", 1),
        (bare_ignores, "x = 1  # type: ignore[misc]  # untyped library\n", 0),
        (late_imports, "import a\ndef f():\n    def g():\n        from b import c\n", 1),
        (unsafe, "import pickle\n", 1),
        (unsafe, "from joblib import load\n", 1),
        (unsafe, "yaml.load(text)\nyaml.safe_load(text)\n", 1),
        (unsafe, "numpy.load(path, allow_pickle=True)\n", 1),
        (unsafe, "eval(text)\nast.literal_eval(text)\n", 1),
    ],
)
def test_the_rule_finds_what_it_forbids(rule: Rule, text: str, found: int) -> None:
    assert len(list(rule(text))) == found


@pytest.mark.parametrize("rule", [constructors, unsafe])
def test_sources_keep_the_rule(rule: Rule, sources: list[Path]) -> None:
    offences = {str(path): list(rule(text_of(path))) for path in sources}
    assert {path: found for path, found in offences.items() if found} == {}


def test_few_modules_are_imported_late(sources: list[Path]) -> None:
    """What a module needs stands at its top. Late are: what a verb of the command line does, one
    statement a verb; a terminal's colours; the Kafka client, once a broker has answered; libraries
    that extras bring."""
    found = {str(path): list(late_imports(text_of(path))) for path in sources}
    assert sum(map(len, found.values())) <= MOST_LATE_IMPORTS, found


def test_every_type_ignore_has_a_code_and_a_reason(python_files: list[Path]) -> None:
    texts = {str(path): text_of(path) for path in python_files}
    offences = {path: list(bare_ignores(text)) for path, text in texts.items()}
    assert {path: found for path, found in offences.items() if found} == {}


@pytest.fixture(scope="module")
def modules(root: Path, sources: list[Path]) -> list[str]:
    """Every importable name of the three packages; importing a `__main__` would run it."""
    parts = [path.relative_to(root).with_suffix("").parts[1:] for path in sources]
    return [
        ".".join(name[:-1] if name[-1] == "__init__" else name)
        for name in parts
        if name[-1] != "__main__"
    ]


def test_what_a_module_offers_exists(modules: list[str]) -> None:
    missing = {}
    for name in modules:
        module = importlib.import_module(name)
        offered = getattr(module, "__all__", [])
        missing[name] = [item for item in offered if not hasattr(module, item)]
    assert {name: items for name, items in missing.items() if items} == {}


def test_no_module_hides_a_name_that_is_imported_later(modules: list[str]) -> None:
    """A package's `compare` would be the module, once anybody had imported that."""
    later = {name: getattr(importlib.import_module(name), "_LATER", {}) for name in modules}
    assert later["driftline.detectors"]
    assert {
        f"{name}.{item}" for name, table in later.items() for items in table.values()
        for item in items
    } & {*modules} == set()  # fmt: skip


def test_the_service_starts_without_the_heavy_libraries(modules: list[str], tmp_path: Path) -> None:
    """They cost a second of start and a hundred megabytes; the functions that read files import
    what reads Arrow when they are called."""
    of_the_extras = ("driftline.producer.files.arrow", "driftline.consumer.spark.")
    light = [name for name in modules if not name.startswith(of_the_extras)]
    program = f"import sys, {', '.join(light)}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    heavy = {"sklearn", "pyarrow", "pandas", "scipy.stats", "fsspec", "mlflow", "pyspark"}
    assert heavy & set(ran.stdout.split()) == set()


def test_no_module_needs_pyspark_to_be_imported(modules: list[str], tmp_path: Path) -> None:
    """Where it lacks, who calls a body on Spark is told so in one sentence."""
    own = [name for name in modules if name.startswith("driftline.consumer.spark")]
    assert own
    program = f"import sys; sys.modules['pyspark'] = None; import {', '.join(own)}"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_nothing_else_in_the_monitor_names_an_option_of_the_client(sources: list[Path]) -> None:
    options = (FREE | FIXED) - {"selector"}  # which is English
    pattern = re.compile(rf"\b({'|'.join(sorted(options))})\b")
    monitor = [path for path in sources if "consumer" in path.parts]
    allowed = ("/client_options.py", "/log/kafka_python/", "/log/confluent/")
    others = [path for path in monitor if not any(part in path.as_posix() for part in allowed)]
    assert len(monitor) > len(others) > 100
    found = {str(path): pattern.findall(text_of(path)) for path in others}
    assert {path: names for path, names in found.items() if names} == {}
